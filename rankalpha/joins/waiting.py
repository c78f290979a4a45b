"""Joins: the rows of Airflow's database in which a DAG waits for the datasets of a batch.

A join is a row of AssetPartitionDagRun, for a DAG and a batch, with the events so far. The scheduler makes a
run of it once it has an event of each dataset that the DAG is scheduled on. Callers hold `lock`.
"""

from airflow.models.asset import (
    AssetEvent,
    AssetPartitionDagRun,
    DagScheduleAssetReference,
    PartitionedAssetKeyLog,
)
from sqlalchemy import ColumnElement, Select, delete, func, select
from sqlalchemy.orm import Session

from rankalpha.pipeline.versions import VERSION, paths_of


def lock(session: Session) -> None:
    """Wait until nobody else registers events or repairs joins; held until the session commits."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext("rankalpha.events"))))


def pending(session: Session, *conditions: ColumnElement[bool]) -> list[AssetPartitionDagRun]:
    """Return the joins without a run, oldest first, locked so that the scheduler leaves them alone."""
    joins = select(AssetPartitionDagRun).where(AssetPartitionDagRun.created_dag_run_id.is_(None), *conditions)
    return list(session.scalars(joins.order_by(AssetPartitionDagRun.id).with_for_update()))


def of_event(event: AssetEvent) -> Select[int]:
    """Return a query of the ids of the joins that `event` is part of."""
    log = PartitionedAssetKeyLog
    return select(log.asset_partition_dag_run_id).where(log.asset_event_id == event.id)


def complete(join: AssetPartitionDagRun, session: Session) -> None:
    """Add the newest event of the batch for each dataset that `join` lacks.

    An event that is older than its own input is left out, because its stage is about to publish a newer
    event.
    """
    for asset_id in missing(join, session):
        latest = latest_event(asset_id, join.partition_key, session)
        if latest is not None and not outdated(latest, session):
            add(join, latest, session)


def drop(join: AssetPartitionDagRun, session: Session) -> None:
    """Remove a join; its events stay."""
    log = PartitionedAssetKeyLog
    session.execute(delete(log).where(log.asset_partition_dag_run_id == join.id))
    session.delete(join)


def add(join: AssetPartitionDagRun, event: AssetEvent, session: Session) -> None:
    """Add `event` to `join`."""
    session.add(
        PartitionedAssetKeyLog(
            asset_id=event.asset_id,
            asset_event_id=event.id,
            asset_partition_dag_run_id=join.id,
            source_partition_key=event.partition_key,
            target_dag_id=join.target_dag_id,
            target_partition_key=join.partition_key,
        )
    )


def missing(join: AssetPartitionDagRun, session: Session) -> set[int]:
    """Return the ids of the datasets that `join` still waits for."""
    present = select(PartitionedAssetKeyLog.asset_id).where(
        PartitionedAssetKeyLog.asset_partition_dag_run_id == join.id
    )
    return inputs(join.target_dag_id, session) - set(session.scalars(present))


def inputs(dag_id: str | None, session: Session) -> set[int]:
    """Return the ids of the datasets that a DAG is scheduled on."""
    reference = DagScheduleAssetReference
    return set(session.scalars(select(reference.asset_id).where(reference.dag_id == dag_id)))


def latest_event(asset_id: int, key: str | None, session: Session) -> AssetEvent | None:
    """Return the newest event of a batch in a dataset; None without an event."""
    events = select(AssetEvent).where(AssetEvent.asset_id == asset_id, AssetEvent.partition_key == key)
    return session.scalar(events.order_by(AssetEvent.timestamp.desc(), AssetEvent.id.desc()).limit(1))


def outdated(event: AssetEvent, session: Session) -> bool:
    """Return whether an input of the stage behind `event` was published again after the stage had read it."""
    from airflow.models.dagrun import DagRun  # noqa: PLC0415  Airflow loads this module amid its models

    run = session.scalar(
        select(DagRun).where(DagRun.dag_id == event.source_dag_id, DagRun.run_id == event.source_run_id)
    )
    consumed = {read.id for read in run.consumed_asset_events} if run else set()
    # a manual run has consumed no event, and a cleared run starts again under its old id: compare times
    read_at = min(filter(None, (run.start_date if run else None, event.timestamp)))
    for asset_id in inputs(event.source_dag_id, session):
        latest = latest_event(asset_id, event.partition_key, session)
        if latest is None or _has_read(event, latest):
            continue
        unread = latest.id not in consumed if consumed else latest.timestamp > read_at
        if unread:
            return True
    return False


def _has_read(event: AssetEvent, latest: AssetEvent) -> bool:
    """Return whether the version of `latest` is on record as read by the stage behind `event`, a later event.

    So has a cleared run: it has consumed older events, and reads what is published now.
    """
    version, newest = ((each.extra or {}).get(VERSION) for each in (event, latest))
    if not isinstance(version, dict) or not isinstance(newest, dict) or latest.timestamp > event.timestamp:
        return False
    return newest.get("path") in paths_of(version).values()
