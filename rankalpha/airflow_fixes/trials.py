"""Keeps the scheduler and earlier runs out of a trial by `airflow tasks test`.

In Airflow 3.3.0 to 3.4.0b2 the run that the command makes, and removes at its end, is a run like any other to
the scheduler, which starts what follows the task, and the task itself once more. It may also hold the run
while the command removes it: a deadlock of the database, which ends the command and leaves the run. Without a
date, the command first deletes a run without one, which the runs of our datasets all are
(https://github.com/apache/airflow/pull/72656).
"""

import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from rankalpha.airflow_fixes.fix import Fix, part

MODULE = "airflow.cli.commands.task_command"
REPLACED = "get_or_create_dagrun"
LATER = timedelta(days=1)  # the scheduler then finishes the run of a command that was killed


def apply() -> None:
    """Give the run of a trial a date, and leave it to the scheduler only later."""
    replaced = part(MODULE, REPLACED)
    if getattr(replaced, "fixes", None):
        return

    def get_or_create(*, logical_date: datetime | None, run_after: datetime, **rest: Any) -> Any:
        now = datetime.now(UTC)
        after = max(run_after, now) + LATER
        return replaced(logical_date=logical_date or now, run_after=after, **rest)

    get_or_create.fixes = replaced  # type: ignore[attr-defined]  # so that it is applied once
    setattr(sys.modules[MODULE], REPLACED, get_or_create)


FIX = Fix(
    name="trials",
    versions="3.3.0 to 3.4.0b2",
    issue="https://github.com/apache/airflow/issues/35994",
    apply=apply,
)
