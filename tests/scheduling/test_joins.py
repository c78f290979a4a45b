"""The join of scores and sentiment: Airflow's own scheduler code on PostgreSQL, without running tasks.

Each example publishes a random history of events and lets the scheduler create what is due after every one.
"""

import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import count
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rankalpha.batch import key_of

PRODUCERS = {
    "prices": "rankalpha_ingestion",
    "scores": "rankalpha_scoring",
    "sentiment": "rankalpha_sentiment",
}
MINUTES = count()


class Pipeline:
    """Publishes events as finished runs do, and asks the scheduler for the runs that are due."""

    def __init__(self):
        from airflow.jobs.job import Job
        from airflow.jobs.scheduler_job_runner import SchedulerJobRunner

        self.scheduler = SchedulerJobRunner(job=Job())
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

    def tick(self):
        """Let the scheduler create what is due; return the grading runs as (key, consumed events)."""
        from airflow.models.dagrun import DagRun
        from airflow.utils.session import create_session
        from sqlalchemy import select

        with create_session() as session:
            known = set(session.scalars(select(DagRun.id)))
            self.scheduler._create_dagruns_for_partitioned_asset_dags(session)
            session.flush()
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


@pytest.fixture(scope="module")
def pipeline(airflow_db):
    return Pipeline()


def fresh_keys(number=3):
    """Keys that no other example has used."""
    return [
        key_of(datetime(2000, 1, 1, tzinfo=UTC) + timedelta(minutes=next(MINUTES))) for _ in range(number)
    ]


events = st.tuples(st.sampled_from(["prices", "scores", "sentiment"]), st.integers(0, 2))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(events, min_size=1, max_size=12))
def test_a_random_history_is_joined_exactly(pipeline, history):
    keys = fresh_keys()
    valid = Counter()  # (key, half) -> published since the batch's prices were last published
    published = {}  # (key, half) -> newest event
    waiting = {key: set() for key in keys}  # halves published since the last grading of the key
    for asset, index in history:
        key = keys[index]
        event = pipeline.publish(asset, key)
        runs = pipeline.tick()
        if asset == "prices":
            valid[key, "scores"] = valid[key, "sentiment"] = 0
            assert runs == []
            continue
        other = "sentiment" if asset == "scores" else "scores"
        published[key, asset] = event
        valid[key, asset] = 1
        waiting[key].add(asset)
        if other in waiting[key] or valid[key, other]:
            ((graded, consumed),) = runs
            assert graded == key
            assert {(name, of) for name, of, _ in consumed} == {("scores", key), ("sentiment", key)}
            assert {(asset, key, event), (other, key, published[key, other])} <= consumed
            waiting[key] = set()
        else:
            assert runs == []


def publish_at_once(pipeline, key, manager):
    barrier = threading.Barrier(2)
    threads = [
        threading.Thread(target=pipeline.publish, args=(asset, key, manager, barrier))
        for asset in ("scores", "sentiment")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_events_of_one_batch_at_the_same_instant_are_joined(pipeline):
    keys = fresh_keys(30)
    for key in keys:
        publish_at_once(pipeline, key, manager=None)
    assert Counter(key for key, _ in pipeline.tick()) == Counter(keys)


def test_stock_airflow_loses_such_batches(pipeline):
    """What publishing one at a time and BatchAssetManager's lock are there for: Airflow issue 71070."""
    from airflow.assets.manager import AssetManager

    keys = fresh_keys(30)
    for key in keys:
        publish_at_once(pipeline, key, manager=AssetManager())
    assert len(pipeline.tick()) < len(keys)
