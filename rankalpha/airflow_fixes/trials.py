"""Keeps the scheduler and earlier runs out of a trial by `airflow tasks test` or `airflow dags test`.

In Airflow 3.3.0 to 3.4.0b2 the run that such a command makes is a run like any other to the scheduler, which
starts the same tasks once more, and those that follow. It may also hold the run while `tasks test` removes
it: a deadlock of the database, which ends the command and leaves the run. Without a date, `tasks test` of
Airflow 3.3 first deletes a run without one, which the runs of our datasets all are
(https://github.com/apache/airflow/pull/72656). `dags test` fails for a DAG with a deadline, and leaves its
run to the scheduler: a batch that nobody has asked for.
"""

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from rankalpha.airflow_fixes.fix import Fix, part
from rankalpha.pipeline.batch import TRIAL

MODULES = ("airflow.cli.commands.task_command", "airflow.models.dagrun")
REPLACED = "get_or_create_dagrun"
LATER = timedelta(days=1)  # the scheduler then finishes the run of a command that was killed


def apply() -> None:
    """Give the run of a trial a date, the name of a trial and no deadline; the scheduler takes it later."""
    for module in MODULES:
        replaced = part(module, REPLACED)
        if not getattr(replaced, "fixes", None):
            setattr(sys.modules[module], REPLACED, _as_trial(replaced))


def _as_trial(replaced: Callable[..., Any]) -> Callable[..., Any]:
    def get_or_create(
        *, dag: Any, logical_date: datetime | None, run_after: datetime, run_id: str, **rest: Any
    ) -> Any:
        now = datetime.now(UTC)
        dag.deadline = None  # nobody is to be alerted
        return replaced(
            dag=dag,
            logical_date=logical_date or now,
            run_after=max(run_after, now) + LATER,
            run_id=run_id if run_id.startswith(TRIAL) else f"{TRIAL}{now.isoformat()}__",
            **rest,
        )

    get_or_create.fixes = replaced  # type: ignore[attr-defined]  # so that it is applied once
    return get_or_create


FIX = Fix(
    name="trials",
    versions="3.3.0 to 3.4.0b2",
    issue="https://github.com/apache/airflow/issues/35994",
    apply=apply,
)
