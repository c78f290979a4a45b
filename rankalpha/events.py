"""The asset manager that joins batches exactly; Airflow's `[core] asset_manager_class`.

Airflow joins partitioned datasets by key, but it forgets the halves of a key once a run was made of them:
publishing one half again would wait for the other for ever. It can lose a join when two events of a key are
registered at the same instant (Airflow issue 71070). And it cannot tell a task which batches a dataset has:
`inlet_events` fails as long as a run that one of the events has started is still queued. All three are mended
here, where every event passes, also those posted by API.
"""

import json
from typing import Any

from airflow.assets.manager import AssetManager
from airflow.models.asset import (
    AssetEvent,
    AssetPartitionDagRun,
    DagScheduleAssetReference,
    PartitionedAssetKeyLog,
)
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rankalpha.batch import BATCHES_KEY

MAX_BATCHES = 1000  # almost three years of daily batches


class BatchAssetManager(AssetManager):
    """Registers one event of a batch at a time, and completes a waiting join with what is still valid."""

    @classmethod
    def register_asset_change(
        cls, *, session: Session, partition_key: str | None = None, **kwargs: Any
    ) -> AssetEvent | None:
        """Register an event as Airflow does; `session` commits, `partition_key` is the batch."""
        if partition_key is None:
            return super().register_asset_change(session=session, **kwargs)
        # held until the event is committed: the next one sees it
        session.execute(select(func.pg_advisory_xact_lock(func.hashtext("rankalpha.events"))))
        # a join that the scheduler is making a run of at this moment is not to be added to any more
        pending = AssetPartitionDagRun.created_dag_run_id.is_(None)
        joins = select(AssetPartitionDagRun.id).where(AssetPartitionDagRun.partition_key == partition_key)
        session.execute(joins.where(pending).with_for_update())
        event = super().register_asset_change(session=session, partition_key=partition_key, **kwargs)
        if event is not None:
            session.flush()  # Airflow's sessions do not flush before a query
            _complete_joins(event, session)
            _list_batches(event, session)
        return event


def _list_batches(event: AssetEvent, session: Session) -> None:
    """Keep the newest batches of the event's dataset in its state store, where tasks read them."""
    from airflow._shared.state import AssetScope  # noqa: PLC0415  see _outdated
    from airflow.state.metastore import MetastoreBackend  # noqa: PLC0415

    key = AssetEvent.partition_key
    keys = select(key).where(AssetEvent.asset_id == event.asset_id, key.is_not(None)).distinct()
    newest = list(session.scalars(keys.order_by(key.desc()).limit(MAX_BATCHES)))
    MetastoreBackend().set(
        AssetScope(asset_id=event.asset_id), BATCHES_KEY, json.dumps(newest), session=session
    )


def _complete_joins(event: AssetEvent, session: Session) -> None:
    """Add to each join that now waits with `event` the other datasets' newest event of the same batch.

    An event that is older than its own input is left out: its stage is about to publish a newer one.
    """
    waiting = session.scalars(
        select(AssetPartitionDagRun)
        .join(
            PartitionedAssetKeyLog,
            PartitionedAssetKeyLog.asset_partition_dag_run_id == AssetPartitionDagRun.id,
        )
        .where(
            PartitionedAssetKeyLog.asset_event_id == event.id,
            AssetPartitionDagRun.created_dag_run_id.is_(None),
            AssetPartitionDagRun.partition_key == event.partition_key,  # not a mapped key
        )
    ).all()
    for join in waiting:
        for asset_id in _missing(join, session):
            latest = _latest_event(asset_id, event.partition_key, session)
            if latest is not None and not _outdated(latest, session):
                session.add(
                    PartitionedAssetKeyLog(
                        asset_id=asset_id,
                        asset_event_id=latest.id,
                        asset_partition_dag_run_id=join.id,
                        source_partition_key=latest.partition_key,
                        target_dag_id=join.target_dag_id,
                        target_partition_key=join.partition_key,
                    )
                )


def _missing(join: AssetPartitionDagRun, session: Session) -> set[int]:
    """Return the ids of the datasets that `join` still waits for."""
    present = select(PartitionedAssetKeyLog.asset_id).where(
        PartitionedAssetKeyLog.asset_partition_dag_run_id == join.id
    )
    return _inputs(join.target_dag_id, session) - set(session.scalars(present))


def _inputs(dag_id: str | None, session: Session) -> set[int]:
    """Return the ids of the datasets that a DAG is scheduled on."""
    reference = DagScheduleAssetReference
    return set(session.scalars(select(reference.asset_id).where(reference.dag_id == dag_id)))


def _latest_event(asset_id: int, key: str | None, session: Session) -> AssetEvent | None:
    events = select(AssetEvent).where(AssetEvent.asset_id == asset_id, AssetEvent.partition_key == key)
    return session.scalar(events.order_by(AssetEvent.timestamp.desc(), AssetEvent.id.desc()).limit(1))


def _outdated(event: AssetEvent, session: Session) -> bool:
    """Tell whether an input of the stage behind `event` was published again after that stage had read it."""
    from airflow.models.dagrun import DagRun  # noqa: PLC0415  Airflow loads this module amid its models

    run = session.scalar(
        select(DagRun).where(DagRun.dag_id == event.source_dag_id, DagRun.run_id == event.source_run_id)
    )
    consumed = {one.id for one in run.consumed_asset_events} if run else set()
    # a run by hand has consumed no event, and a cleared run starts again under its old id: go by the time
    read_at = min(filter(None, (run.start_date if run else None, event.timestamp)))
    for asset_id in _inputs(event.source_dag_id, session):
        latest = _latest_event(asset_id, event.partition_key, session)
        if latest and (latest.id not in consumed if consumed else latest.timestamp > read_at):
            return True
    return False
