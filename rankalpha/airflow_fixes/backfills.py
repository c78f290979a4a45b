"""Lets a backfill start nothing but the days that it was asked for.

In Airflow 3.3.0 to 3.4.0b2 a DAG with a partitioned schedule and without `catchup` that has not been
scheduled yet waits for its next time. Once it has a run of a backfill, though, the DAG processor takes that
for its last scheduled run, and the scheduler makes up for the time that has just passed: a batch that nobody
has asked for. A DAG that was scheduled before is as it was.
"""

import sys
from typing import Any

from rankalpha.airflow_fixes.fix import Fix, part

MODULE = "airflow.dag_processing.collection"
REPLACED = "_get_latest_runs_stmt_partitioned"


def apply() -> None:
    """Let the DAG processor look at runs of backfills only where there is a scheduled run too."""
    replaced = part(MODULE, REPLACED)
    part("airflow.models.dagrun", "DagRun")
    if getattr(replaced, "fixes", None):
        return

    def latest_run(dag_id: str) -> Any:
        return replaced(dag_id=dag_id).where(_is_scheduled(dag_id))

    latest_run.fixes = replaced  # type: ignore[attr-defined]  # so that it is applied once
    setattr(sys.modules[MODULE], REPLACED, latest_run)


def _is_scheduled(dag_id: str) -> Any:
    """Return the condition that a DAG has a run of its schedule."""
    from airflow.models.dagrun import DagRun  # noqa: PLC0415  heavy
    from airflow.utils.types import DagRunType  # noqa: PLC0415
    from sqlalchemy import select  # noqa: PLC0415
    from sqlalchemy.orm import aliased  # noqa: PLC0415

    other = aliased(DagRun)
    scheduled = (other.dag_id == dag_id, other.run_type == DagRunType.SCHEDULED)
    return select(other.id).where(*scheduled).exists()


FIX = Fix(name="backfills", versions="3.3.0 to 3.4.0b2", apply=apply)
