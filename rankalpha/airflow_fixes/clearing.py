"""Lets a run with a deadline be cleared.

Airflow issue 70368: in Airflow 3.3.0 to 3.3.2 the API answers 500 to *Clear*, for a run whose deadline counts
from when it was queued and was not missed, because it takes the deadline's interval for a number of seconds.
Remove this with the release that has the fix (the tests tell when).
"""

from datetime import datetime
from typing import Any

QUEUED_AT = "DagRunQueuedAtDeadline"


def mend() -> None:
    """Let the deadlines of a run that is cleared count anew, as Airflow means to."""
    from airflow.models import taskinstance  # noqa: PLC0415  heavy

    taskinstance._recalculate_dagrun_queued_at_deadlines = count_anew  # noqa: SLF001


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
