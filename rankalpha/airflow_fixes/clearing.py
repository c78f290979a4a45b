"""Lets a run with a deadline be cleared.

In Airflow 3.3.0 to 3.3.2 the API answers 500 to *Clear* for a run whose deadline counts from when the run
was queued and was not missed, because it reads the deadline's interval as a number of seconds.
Airflow 3.4 has the fix, so that this is off there; remove it with 3.3.
"""

import inspect
import sys
from datetime import datetime
from typing import Any

from rankalpha.airflow_fixes.fix import AbsentError, Fix, part

MODULE = "airflow.models.taskinstance"
REPLACED = "_recalculate_dagrun_queued_at_deadlines"
QUEUED_AT = "DagRunQueuedAtDeadline"


def apply() -> None:
    """Let the deadlines of a run that is cleared count from the start again, as Airflow means to."""
    for module, name in (
        ("airflow.models.deadline", "Deadline"),
        ("airflow.models.deadline_alert", "DeadlineAlert"),
        ("airflow.sdk.serde", "deserialize"),
    ):
        part(module, name)
    replaced = part(MODULE, REPLACED)
    if not is_needed():
        return
    takes, wanted = (tuple(inspect.signature(one).parameters) for one in (replaced, restart))
    if takes != wanted:
        raise AbsentError(f"{MODULE}.{REPLACED} takes {', '.join(takes)}, not {', '.join(wanted)}")
    setattr(sys.modules[MODULE], REPLACED, restart)


def is_needed() -> bool:
    """Return whether Airflow's function takes the time from its caller, as the one with the fault does."""
    return "new_queued_at" in inspect.signature(part(MODULE, REPLACED)).parameters


def restart(dagrun: Any, new_queued_at: datetime, session: Any) -> None:
    """Replace Airflow's function of the same arguments; the caller commits."""
    from airflow.models.deadline import Deadline  # noqa: PLC0415  heavy
    from airflow.models.deadline_alert import DeadlineAlert  # noqa: PLC0415
    from airflow.sdk.serde import deserialize  # noqa: PLC0415
    from sqlalchemy import select  # noqa: PLC0415

    deadlines = select(Deadline, DeadlineAlert).join(DeadlineAlert)
    of_run = (Deadline.dagrun_id == dagrun.id, ~Deadline.missed)
    for deadline, alert in session.execute(deadlines.where(*of_run)):
        if alert.reference["reference_type"] == QUEUED_AT:
            interval: Any = deserialize(alert.interval)
            deadline.deadline_time = new_queued_at + interval


FIX = Fix(
    name="clearing",
    versions="3.3.0 to 3.3.2",
    issue="https://github.com/apache/airflow/issues/70368",
    apply=apply,
)
