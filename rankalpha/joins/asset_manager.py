"""The asset manager that joins batches exactly; Airflow's `[core] asset_manager_class`.

Airflow joins partitioned datasets by key, with four faults that are fixed here:

- It forgets the halves of a key once it has made a run of them. A half that is published again would wait for
  the other half for ever.
- It can lose a join when two events of a key are registered at the same instant (Airflow issue 71070).
- It drops the events of a dataset for a DAG that is paused.
- A task cannot ask which batches a dataset has: `inlet_events` fails while a run that one of the events has
  started is queued.

Every event passes through here, also an event that was posted to the API.
"""

from datetime import datetime, timedelta
from typing import Any

from airflow.assets.manager import AssetManager
from airflow.models.asset import AssetEvent, AssetPartitionDagRun, DagScheduleAssetReference
from sqlalchemy import func, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from rankalpha.joins import at_once, waiting
from rankalpha.joins.after_pause import keep_newest
from rankalpha.joins.state_store import keep_batches
from rankalpha.settings import settings


class BatchAssetManager(AssetManager):
    """Registers one event of a batch at a time, and completes a waiting join with what is still valid."""

    @classmethod
    def register_asset_change(
        cls, *, session: Session, partition_key: str | None = None, **kwargs: Any
    ) -> AssetEvent | None:
        """Register an event as Airflow does; `session` commits, `partition_key` is the batch."""
        if partition_key is None:
            return super().register_asset_change(session=session, **kwargs)
        task = kwargs.get("task_instance")
        if task is not None and (names := at_once.publishers(task, kwargs["asset"], session)):
            return cls._register_at_once(names, session=session, partition_key=partition_key, **kwargs)
        waiting.lock(session)  # the next event sees this one
        # wait for joins that the scheduler is making runs of: nothing can be added to them
        waiting.pending(session, AssetPartitionDagRun.partition_key == partition_key)
        event = super().register_asset_change(session=session, partition_key=partition_key, **kwargs)
        if event is not None:
            session.flush()  # Airflow's sessions do not flush before a query
            _be_the_newest(event, session)
            held = _held(event, session)
            for dag in held:
                cls.queue(event, dag, session, kwargs.get("partition_date"))
            session.flush()
            for join in _waiting_with(event, session):
                waiting.complete(join, session)
            session.flush()
            if settings().after_pause == "newest":
                for dag in held:
                    if dag.is_paused:  # a draining one still runs what is queued
                        keep_newest(dag.dag_id, session)
            keep_batches(event, session)
        return event

    @classmethod
    def _register_at_once(
        cls, names: list[str], *, session: Session, partition_key: str, **kwargs: Any
    ) -> AssetEvent | None:
        """Register the event of a publishing task, by one of `names`, with the end of the task before it.

        What fails is left to the publishing task. Airflow would fail the task that has made the result.
        """
        try:
            with session.begin_nested():
                publisher = at_once.mark_published(kwargs["task_instance"], names, partition_key, session)
                if publisher is None:
                    return None
                kwargs["task_instance"] = publisher
                return cls.register_asset_change(session=session, partition_key=partition_key, **kwargs)
        except SQLAlchemyError as error:
            cls.logger().warning("Batch %s is left to %s: %s", partition_key, " or ".join(names), error)
            return None

    @classmethod
    def queue(cls, event: AssetEvent, dag: Any, session: Session, date: datetime | None = None) -> None:
        """Add `event` to the joins of a DAG (its DagModel).

        While the DAG is paused, the scheduler of Airflow 3.3 makes a run of it, which stays queued; that of
        Airflow 3.4 leaves the join alone. Both go on when the DAG is unpaused.
        """
        cls._queue_partitioned_dags(
            asset_id=event.asset_id,
            partition_dags=[dag],
            event=event,
            partition_key=event.partition_key,
            partition_date=date,
            task_instance=None,
            session=session,
        )


def _be_the_newest(event: AssetEvent, session: Session) -> None:
    """Let an event be later than the batch's events before it, whatever the clock says.

    Every reader goes by the time of events, and a clock that is set back must not make an older one count.
    """
    others = select(func.max(AssetEvent.timestamp)).where(
        AssetEvent.partition_key == event.partition_key, AssetEvent.id != event.id
    )
    newest = session.scalar(others)
    if newest is not None and event.timestamp <= newest:
        event.timestamp = newest + timedelta(microseconds=1)
        session.flush()


def _held(event: AssetEvent, session: Session) -> list[Any]:
    """Return the DAGs that the event's dataset schedules and for which Airflow has dropped the event.

    They are paused, or, from Airflow 3.4 on, draining: once their runs have ended they are paused too.
    """
    from airflow.models.dag import DagModel  # noqa: PLC0415  Airflow loads this module amid its models

    scheduled = (
        select(DagModel)
        .join(DagScheduleAssetReference, DagScheduleAssetReference.dag_id == DagModel.dag_id)
        .where(DagScheduleAssetReference.asset_id == event.asset_id, DagModel.timetable_partitioned.is_(True))
    )
    held = [
        getattr(DagModel, name).is_(True) for name in ("is_paused", "is_draining") if hasattr(DagModel, name)
    ]
    return list(session.scalars(scheduled.where(or_(*held))))


def _waiting_with(event: AssetEvent, session: Session) -> list[AssetPartitionDagRun]:
    """Return the joins of the event's batch that the event is part of."""
    return waiting.pending(
        session,
        AssetPartitionDagRun.partition_key == event.partition_key,  # not a mapped key
        AssetPartitionDagRun.id.in_(waiting.of_event(event)),
    )
