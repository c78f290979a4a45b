"""Marks a publishing task as a success when the task before it has published.

See `rankalpha.operators.at_once` for why. Airflow knows which task publishes a dataset. An event of another
task of the same DAG counts as that task's, so that whoever reads events sees one way to publish. Airflow's
scheduler marks tasks that have nothing to run in the same way.
"""

from datetime import UTC, datetime
from typing import Any

from airflow.models.asset import TaskOutletAssetReference
from sqlalchemy import select, update
from sqlalchemy.orm import Session

NOTE = "Batch {batch} was checked and published at the end of {task}; see its log."


def publishers(task: Any, asset: Any, session: Session) -> list[str]:
    """Return which tasks of the DAG of `task`, an instance, publish `asset`; none when it does so itself."""
    reference = TaskOutletAssetReference
    known = select(reference.task_id).where(reference.dag_id == task.dag_id, reference.asset_id == asset.id)
    found = list(session.scalars(known))
    return [] if task.task_id in found else found


def mark_published(task: Any, names: list[str], batch: str, session: Session) -> Any:
    """Return the publishing task of the same run, marked as a success; None when it has a state already."""
    from airflow.models.taskinstance import TaskInstance  # noqa: PLC0415  Airflow loads this module amid its models

    now = datetime.now(UTC)
    marked = session.scalar(
        update(TaskInstance)
        .where(
            TaskInstance.dag_id == task.dag_id,
            TaskInstance.run_id == task.run_id,
            TaskInstance.task_id.in_(names),
            TaskInstance.state.is_(None),
        )
        .values(
            state="success", start_date=now, end_date=now, duration=0, try_number=TaskInstance.try_number + 1
        )
        .returning(TaskInstance)
    )
    if marked is not None:
        marked.note = NOTE.format(batch=batch, task=task.task_id)
    return marked
