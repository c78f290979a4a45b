"""What a DAG runs after a pause: every waiting batch, or the newest only (RANKALPHA_AFTER_PAUSE)."""

from airflow.models.asset import AssetPartitionDagRun
from airflow.sdk import DagRunState
from sqlalchemy import select
from sqlalchemy.orm import Session

from rankalpha.joins import waiting
from rankalpha.pipeline.batch import ASSET_TRIGGERED, SUPERSEDED


def keep_newest(dag_id: str, session: Session) -> None:
    """Drop the batches that wait for a paused DAG, except the newest; the audit log names each.

    A batch that still waits for another dataset stays, and so does a run that a person has triggered.
    """
    from airflow.models.dagrun import DagRun  # noqa: PLC0415  Airflow loads this module amid its models
    from airflow.models.log import Log  # noqa: PLC0415

    joins = waiting.pending(session, AssetPartitionDagRun.target_dag_id == dag_id)
    ready = [join for join in joins if not waiting.missing(join, session)]
    queued = session.scalars(
        select(DagRun)
        .where(
            DagRun.dag_id == dag_id,
            DagRun.state == DagRunState.QUEUED,
            DagRun.run_type == ASSET_TRIGGERED,
        )
        .with_for_update(skip_locked=True)  # the scheduler is about to start what it has locked
    ).all()
    keys = {join.partition_key for join in ready} | {str(run.partition_key) for run in queued}
    newest = max(keys, default="")  # the format sorts by time
    for join in ready:
        if join.partition_key != newest:
            waiting.drop(join, session)
    for run in queued:
        if run.partition_key != newest:
            session.delete(run)
    for key in sorted(keys - {newest}):
        text = f"{key} will not run after the pause: {newest} is newer and RANKALPHA_AFTER_PAUSE=newest"
        session.add(Log(event=SUPERSEDED, dag_id=dag_id, extra=text))
