"""Finds the batches that a DAG has lost, and queues them again.

A batch is lost when its inputs are published, and the DAG has neither a run nor a join of it. Airflow
registers an event and its joins in one transaction. A join that is not there under the lock is therefore
lost, however long the registration took. That happens when two events come at the same instant (Airflow
issue 71070, with another asset manager), or when the DAG could not be parsed at that time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from airflow.models.asset import AssetEvent, AssetPartitionDagRun, DagScheduleAssetReference
from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from airflow.models.log import Log
from airflow.sdk import DagRunState
from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from rankalpha.joins import waiting
from rankalpha.joins.asset_manager import BatchAssetManager
from rankalpha.pipeline.batch import SUPERSEDED
from rankalpha.pipeline.pipelines import pipelines

HALF_DAYS = (
    30  # after that an incomplete join is dropped; the missing event makes another one, should it come
)


@dataclass(frozen=True)
class Repair:
    """A batch that was queued again for a DAG."""

    dag_id: str
    batch: str


def repair(dag_ids: Sequence[str], since: datetime, session: Session) -> list[Repair]:
    """Queue for each DAG the batches published since then that it lost; `session` commits. Safe to repeat."""
    waiting.lock(session)
    _forget_halves(session)
    dags = select(DagModel).where(DagModel.dag_id.in_(dag_ids), ~DagModel.is_stale)
    known = {dag.dag_id: dag for dag in session.scalars(dags)}
    candidates = session.execute(_not_begun(known, since)).all()
    return [Repair(dag_id, key) for dag_id, key in candidates if _queue_lost(known[dag_id], key, session)]


def _not_begun(dag_ids: Iterable[str], since: datetime) -> Select[str, str]:
    """Return a query of DAGs and published batches of which no run has begun since the publication.

    It leaves out most batches. Each batch in the result costs some queries, during which nobody can publish.
    A DAG that no batch waits for misses nothing that was published before it was there, as before an upgrade.
    """
    reference, key = DagScheduleAssetReference, AssetEvent.partition_key
    optional = [dag_id for pipeline in pipelines() for dag_id in pipeline.optional]
    newest = (
        select(reference.dag_id, key.label("key"), func.max(AssetEvent.timestamp).label("at"))
        .join(AssetEvent, AssetEvent.asset_id == reference.asset_id)
        .where(reference.dag_id.in_(dag_ids), AssetEvent.timestamp >= since, key.is_not(None), key != "")
        .where(or_(reference.dag_id.not_in(optional), AssetEvent.timestamp >= reference.created_at))
        .group_by(reference.dag_id, key)
        .subquery()
    )
    begun = select(DagRun.id).where(
        DagRun.dag_id == newest.c.dag_id,
        DagRun.partition_key == newest.c.key,
        or_(DagRun.state == DagRunState.QUEUED, DagRun.start_date >= newest.c.at),
    )
    candidates = select(newest.c.dag_id, newest.c.key).where(~begun.exists())
    return candidates.order_by(newest.c.dag_id, newest.c.key)


def _queue_lost(dag: DagModel, key: str, session: Session) -> bool:
    """Queue a batch for a DAG if all of its inputs are published and valid, and no run or join has them."""
    newest = [
        waiting.latest_event(asset_id, key, session) for asset_id in waiting.inputs(dag.dag_id, session)
    ]
    events = [event for event in newest if event is not None]
    if len(events) < len(newest) or any(waiting.outdated(event, session) for event in events):
        return False
    of_batch = (AssetPartitionDagRun.target_dag_id == dag.dag_id, AssetPartitionDagRun.partition_key == key)
    joins = waiting.pending(session, *of_batch)
    if any(not waiting.missing(join, session) for join in joins):
        return False
    if _is_taken(dag.dag_id, key, events, session) or _superseded(dag.dag_id, key, events, session):
        return False
    for join in joins:  # two joins with one half each
        waiting.drop(join, session)
    session.flush()
    for event in events:
        BatchAssetManager.queue(event, dag, session)
        session.flush()
    return True


def _is_taken(dag_id: str, key: str, events: Sequence[AssetEvent], session: Session) -> bool:
    """Return whether a run has consumed these events, or began after them, or is queued."""
    outputs = select(AssetEvent).where(AssetEvent.source_dag_id == dag_id, AssetEvent.partition_key == key)
    published = {event.source_run_id: event.timestamp for event in session.scalars(outputs)}
    # a run that was triggered without a key has published under one
    of_batch = or_(DagRun.partition_key == key, DagRun.run_id.in_(published))
    runs = session.scalars(select(DagRun).where(DagRun.dag_id == dag_id, of_batch)).all()
    newest, ids = max(event.timestamp for event in events), {event.id for event in events}
    removed = published.keys() - {run.run_id for run in runs}
    return any(published[run_id] >= newest for run_id in removed) or any(
        run.state == DagRunState.QUEUED
        or (run.start_date is not None and run.start_date >= newest)
        or ids <= {event.id for event in run.consumed_asset_events}
        for run in runs
    )


def _superseded(dag_id: str, key: str, events: Sequence[AssetEvent], session: Session) -> bool:
    """Return whether the batch was dropped on purpose after these events."""
    entries = select(Log.id).where(Log.event == SUPERSEDED, Log.dag_id == dag_id, Log.extra.startswith(key))
    newest = max(event.timestamp for event in events)
    return session.scalar(entries.where(Log.dttm >= newest).limit(1)) is not None


def _forget_halves(session: Session) -> None:
    """Drop old incomplete joins, because Airflow reads only the 500 oldest joins in each loop."""
    old = AssetPartitionDagRun.created_at < datetime.now(UTC) - timedelta(days=HALF_DAYS)
    for join in waiting.pending(session, old):
        if waiting.missing(join, session):
            waiting.drop(join, session)
