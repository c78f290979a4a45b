"""Airflow's own scheduler code on PostgreSQL, for tests that publish events and run no tasks."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count
from types import SimpleNamespace

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

        self.scheduler, self.second = SchedulerJobRunner(job=Job()), SchedulerJobRunner(job=Job())
        self.scheduler._update_asset_orphanage()  # a scheduler that starts finds out which assets are in use

    def publish(self, asset, key, manager=None, barrier=None):
        """Register the event of a run that starts and ends now."""
        from airflow.assets.manager import asset_manager
        from airflow.models.asset import AssetModel
        from airflow.models.dagrun import DagRun
        from airflow.utils.session import create_session
        from airflow.utils.types import DagRunType
        from sqlalchemy import select

        now = datetime.now(UTC)
        run = DagRun(
            dag_id=PRODUCERS[asset],
            run_id=f"{asset}~{key}~{now.timestamp()}",
            run_type=DagRunType.MANUAL,
            run_after=now,
            start_date=now,
            partition_key=key,
        )
        with create_session() as session:
            session.add(run)
        ti = SimpleNamespace(dag_id=run.dag_id, run_id=run.run_id, task_id=f"publish_{asset}", map_index=-1)
        with create_session() as session:
            model = session.scalar(select(AssetModel).where(AssetModel.name == asset))
            if barrier:
                barrier.wait()
            event = (manager or asset_manager).register_asset_change(
                asset=model, task_instance=ti, partition_key=key, session=session
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


def fresh_keys(number=3):
    """Keys that no other example has used."""
    return [
        key_of(datetime(2000, 1, 1, tzinfo=UTC) + timedelta(minutes=next(MINUTES))) for _ in range(number)
    ]


def set_paused(dag_id, paused):
    """Pause or unpause a DAG."""
    from airflow.models.dag import DagModel
    from airflow.utils.session import create_session

    with create_session() as session:
        session.get(DagModel, dag_id).is_paused = paused


def publish_at_once(pipeline, key, manager=None):
    """Publish scores and sentiment of a batch at the same instant; return their events by dataset."""
    barrier, halves = threading.Barrier(2), ("scores", "sentiment")
    with ThreadPoolExecutor(2) as pool:
        events = pool.map(lambda asset: pipeline.publish(asset, key, manager, barrier), halves)
        return dict(zip(halves, events, strict=True))
