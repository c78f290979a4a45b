"""Lets a run with a deadline be cleared.

Airflow issue 70368: in Airflow 3.3.0 to 3.3.2 the API answers 500 to *Clear*, for a run whose deadline counts
from when it was queued and was not missed, because it takes the deadline's interval for a number of seconds.
Airflow 3.4 has the fix. Remove this with 3.3 (the tests tell when it is of no use).
"""

import inspect
from datetime import datetime
from typing import Any

QUEUED_AT = "DagRunQueuedAtDeadline"
REPLACED = "_recalculate_dagrun_queued_at_deadlines"  # of airflow.models.taskinstance


def mend() -> None:
    """Let the deadlines of a run that is cleared count anew, as Airflow means to."""
    from airflow.models import taskinstance  # noqa: PLC0415  heavy

    if is_needed():
        setattr(taskinstance, REPLACED, count_anew)


def is_needed() -> bool:
    """Tell whether Airflow's function takes the time from its caller, as that with the fault does."""
    from airflow.models import taskinstance  # noqa: PLC0415  heavy

    return "new_queued_at" in inspect.signature(getattr(taskinstance, REPLACED)).parameters


def count_anew(dagrun: Any, new_queued_at: datetime, session: Any) -> None:
    """Stand in for Airflow's function of the same arguments; the caller commits."""
    from airflow.models.deadline import Deadline  # noqa: PLC0415  heavy
    from airflow.models.deadline_alert import DeadlineAlert  # noqa: PLC0415
    from airflow.sdk.serde import deserialize  # noqa: PLC0415
    from sqlalchemy import select  # noqa: PLC0415

    waiting = select(Deadline, DeadlineAlert).join(DeadlineAlert)
    mine = (Deadline.dagrun_id == dagrun.id, ~Deadline.missed)
    for deadline, alert in session.execute(waiting.where(*mine)):
        if alert.reference["reference_type"] == QUEUED_AT:
            interval: Any = deserialize(alert.interval)
            deadline.deadline_time = new_queued_at + interval
