"""Airflow's own scheduler code on PostgreSQL, for tests that publish events and run no tasks."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count

from rankalpha.pipeline.batch import key_of

PRODUCERS = {
    "prices": "rankalpha_ingestion",
    "scores": "rankalpha_scoring",
    "sentiment": "rankalpha_sentiment",
    "grades": "rankalpha_grading",
}
MINUTES = count()


class Pipeline:
    """Publishes events as finished runs do, and asks the scheduler for the runs that are due."""

    def __init__(self):
        from airflow.jobs.job import Job
        from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
        from airflow.models.dagbag import DBDagBag
        from airflow.utils.session import create_session

        with create_session() as session:
            latest = DBDagBag().get_latest_version_of_dag
            self.dags = {dag_id: latest(dag_id, session=session) for dag_id in PRODUCERS.values()}
        self.scheduler, self.second = SchedulerJobRunner(job=Job()), SchedulerJobRunner(job=Job())
        self.scheduler._update_asset_orphanage()  # a scheduler that starts finds out which assets are in use

    def publish(self, asset, key, manager=None, barrier=None, extra=None, consumed=()):
        """Register the event of a run that starts and ends now and has joined the events `consumed` (ids)."""
        from airflow.assets.manager import asset_manager
        from airflow.models.asset import AssetEvent, AssetModel
        from airflow.models.taskinstance import TaskInstance
        from airflow.utils.session import create_session
        from sqlalchemy import select

        run = begun(asset, key)
        with create_session() as session:
            run.consumed_asset_events.extend(session.get(AssetEvent, event_id) for event_id in consumed)
            session.add(run)
        task = next(task for task in self.dags[run.dag_id].tasks if task.outlets)
        ti = TaskInstance(task, dag_version_id=None, run_id=run.run_id)  # in no table: a row takes long
        with create_session() as session:
            model = session.scalar(select(AssetModel).where(AssetModel.name == asset))
            if barrier:
                barrier.wait()
            event = (manager or asset_manager).register_asset_change(
                asset=model, task_instance=ti, partition_key=key, extra=extra, session=session
            )
            return event.id

    def tick(self, kind="alone"):
        """Let the scheduler create what is due; return the grading runs as (key, consumed events).

        It may be killed the first time, before it commits, or there may be two of it at the same time.
        """
        from airflow.models.dagrun import DagRun
        from airflow.utils.session import create_session
        from sqlalchemy import select

        with create_session() as session:
            known = set(session.scalars(select(DagRun.id)))
        if kind == "killed":
            self._create_runs(self.scheduler, killed=True)
        schedulers = [self.scheduler, self.second] if kind == "two" else [self.scheduler]
        with ThreadPoolExecutor(len(schedulers)) as pool:
            list(pool.map(self._create_runs, schedulers))
        with create_session() as session:
            new = session.scalars(
                select(DagRun).where(DagRun.dag_id == "rankalpha_grading", DagRun.id.not_in(known))
            )
            return [
                (
                    run.partition_key,
                    {(e.asset.name, e.partition_key, e.id) for e in run.consumed_asset_events},
                )
                for run in new
            ]

    def _create_runs(self, scheduler, killed=False):
        from airflow.utils.session import create_session

        with create_session() as session:
            scheduler._create_dagruns_for_partitioned_asset_dags(session)
            session.flush()
            if killed:
                session.rollback()

    def states(self, keys):
        """The states of the grading runs of batches."""
        from airflow.models.dagrun import DagRun
        from airflow.utils.session import create_session
        from sqlalchemy import select

        with create_session() as session:
            runs = select(DagRun.partition_key, DagRun.state).where(
                DagRun.dag_id == "rankalpha_grading", DagRun.partition_key.in_(keys)
            )
            return {key: str(state) for key, state in session.execute(runs)}

    def held(self, keys):
        """The batches that wait for a pause of grading to end.

        Airflow 3.3 makes runs of them, which stay queued; Airflow 3.4 leaves the joins alone.
        """
        from airflow.models.asset import AssetPartitionDagRun
        from airflow.utils.session import create_session

        from rankalpha.joins import waiting

        queued = {key for key, state in self.states(keys).items() if state == "queued"}
        with create_session() as session:
            joins = waiting.pending(session, AssetPartitionDagRun.partition_key.in_(keys))
            return queued | {join.partition_key for join in joins if not waiting.missing(join, session)}


def begun(asset, key):
    """A run that starts now and makes a dataset of a batch; it is not in the database yet."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.types import DagRunType

    now = datetime.now(UTC)
    return DagRun(
        dag_id=PRODUCERS[asset],
        run_id=f"{asset}~{key}~{now.timestamp()}",
        run_type=DagRunType.MANUAL,
        run_after=now,
        start_date=now,
        partition_key=key,
    )


def fresh_keys(number=3):
    """Keys that no other example has used."""
    return [
        key_of(datetime(2000, 1, 1, tzinfo=UTC) + timedelta(minutes=next(MINUTES))) for _ in range(number)
    ]


def set_paused(dag_id, paused, how="is_paused"):
    """Pause or unpause a DAG; `how` is one of `pauses()`."""
    from airflow.models.dag import DagModel
    from airflow.utils.session import create_session

    with create_session() as session:
        setattr(session.get(DagModel, dag_id), how, paused)


def pauses():
    """The ways in which a DAG may be held back: from Airflow 3.4 on it may drain, too."""
    from airflow.models.dag import DagModel

    return [name for name in ("is_paused", "is_draining") if hasattr(DagModel, name)]


def runs_are_made_while_paused():
    """Whether the scheduler makes runs of the joins of a paused DAG, as that of Airflow 3.3 does."""
    return "is_draining" not in pauses()


def publish_together(pipeline, key, manager=None, assets=("scores", "sentiment")):
    """Publish datasets of a batch at the same instant; return their events by dataset."""
    barrier = threading.Barrier(len(assets))
    with ThreadPoolExecutor(len(assets)) as pool:
        events = pool.map(lambda asset: pipeline.publish(asset, key, manager, barrier), assets)
        return dict(zip(assets, events, strict=True))
