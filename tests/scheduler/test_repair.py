"""Joins that stock Airflow loses, and pauses: on Airflow's own scheduler code, without tasks."""

import threading
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from rankalpha.pipeline.pipelines import CONSUMER_DAGS
from rankalpha.settings import settings
from tests.scheduler.joining import Pipeline, fresh_keys, pauses, publish_together, set_paused


@pytest.fixture(scope="module")
def pipeline(airflow_db):
    return Pipeline()


def repair(**ago):
    """What the watchdog asks the API server for."""
    from airflow.utils.session import create_session

    from rankalpha.joins.repair import repair

    with create_session() as session:
        return repair(CONSUMER_DAGS, datetime.now(UTC) - timedelta(**(ago or {"hours": 1})), session)


def repaired(keys, dag_id="rankalpha_grading"):
    return [one.batch for one in repair() if one.dag_id == dag_id and one.batch in keys]


@pytest.fixture
def paused_grading(airflow_db):
    set_paused("rankalpha_grading", True)
    yield
    set_paused("rankalpha_grading", False)


@pytest.fixture
def newest_only(monkeypatch):
    monkeypatch.setenv("RANKALPHA_AFTER_PAUSE", "newest")
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


def lose(pipeline):
    """Publish batches as stock Airflow does; return their keys, and those that it has lost."""
    from airflow.assets.manager import AssetManager

    keys = fresh_keys(30)
    for key in keys:
        publish_together(pipeline, key, manager=AssetManager())
    lost = set(keys) - {key for key, _ in pipeline.tick()}
    assert lost, "none was lost, so that a test of what is says nothing"
    return keys, lost


def following(dag_id, since):
    """Make a DAG follow its dataset since then, as parsing does; None: not at all."""
    from airflow.models.asset import DagScheduleAssetReference as Reference
    from airflow.utils.session import create_session
    from sqlalchemy import delete, select

    with create_session() as session:
        known = session.execute(select(Reference.asset_id).where(Reference.dag_id == dag_id)).all()
        following.assets = [asset_id for (asset_id,) in known] or following.assets
        session.execute(delete(Reference).where(Reference.dag_id == dag_id))
        if since:
            session.add_all(
                Reference(asset_id=asset_id, dag_id=dag_id, created_at=since) for asset_id in following.assets
            )


@pytest.mark.parametrize(("hours", "missed"), [(-1, True), (1, False)])
def test_an_evaluation_misses_what_is_published_once_it_is_there(pipeline, hours, missed):
    """It could not be parsed when the batch was graded; or it came with an upgrade after that."""
    (key,) = fresh_keys(1)
    following("rankalpha_evaluation", None)
    pipeline.publish("grades", key)
    following("rankalpha_evaluation", datetime.now(UTC) + timedelta(hours=hours))
    try:
        assert repaired([key], "rankalpha_evaluation") == [key] * missed
    finally:
        following("rankalpha_evaluation", datetime.now(UTC) - timedelta(days=1))


def test_batches_that_stock_airflow_loses_are_repaired_once(pipeline):
    keys, lost = lose(pipeline)
    assert set(repaired(keys)) == lost
    assert repaired(keys) == [], "what the scheduler has not taken yet is not repaired again"
    runs = [run for run in pipeline.tick() if run[0] in keys]  # others may have lost some before
    assert Counter(key for key, _ in runs) == Counter(lost)
    for key, consumed in runs:
        assert {(name, of) for name, of, _ in consumed} == {("scores", key), ("sentiment", key)}
    assert repaired(keys) == []


def test_two_watchdogs_at_once_repair_once(pipeline):
    keys, lost = lose(pipeline)
    found = []
    threads = [threading.Thread(target=lambda: found.extend(repaired(keys))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(found) == Counter(lost)
    assert Counter(key for key, _ in pipeline.tick() if key in keys) == Counter(lost)


def test_what_waits_for_a_half_or_for_the_scheduler_is_left_alone(pipeline):
    half, whole = fresh_keys(2)
    pipeline.publish("scores", half)
    pipeline.publish("scores", whole)
    pipeline.publish("sentiment", whole)
    assert repaired([half, whole]) == []
    assert [key for key, _ in pipeline.tick() if key in (half, whole)] == [whole]
    assert repaired([half, whole]) == []


def test_a_half_that_is_about_to_be_published_again_is_waited_for(pipeline):
    (key,) = fresh_keys(1)
    for asset in ("prices", "scores", "sentiment"):
        pipeline.publish(asset, key)
        pipeline.tick()
    pipeline.publish("prices", key)
    pipeline.publish("scores", key)
    assert pipeline.tick() == []
    assert repaired([key]) == []


def test_a_run_that_a_person_has_deleted_does_not_come_back_once_it_has_published(pipeline):
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    (key,) = fresh_keys(1)
    for asset in ("scores", "sentiment", "grades"):
        pipeline.publish(asset, key)
        pipeline.tick()
    with create_session() as session:
        session.execute(
            delete(DagRun).where(DagRun.dag_id == "rankalpha_grading", DagRun.partition_key == key)
        )
    assert repaired([key]) == []


def test_a_batch_of_a_paused_dag_runs_once_after_the_pause_and_repair_leaves_it_alone(pipeline):
    for how in pauses():
        keys = fresh_keys(3)
        set_paused("rankalpha_grading", True, how)
        for key in keys:
            pipeline.publish("scores", key)
            pipeline.publish("sentiment", key)
        assert repaired(keys) == []
        runs = pipeline.tick()
        assert pipeline.held(keys) == set(keys)
        assert repaired(keys) == []
        set_paused("rankalpha_grading", False, how)
        runs += pipeline.tick()
        assert Counter(key for key, _ in runs if key in keys) == Counter(keys)
        assert repaired(keys) == []


@pytest.mark.parametrize("ticks", [False, True], ids=["waiting", "seen by the scheduler"])
def test_after_a_pause_only_the_newest_batch_is_run_when_so_set(pipeline, paused_grading, newest_only, ticks):
    keys = fresh_keys(3)
    for key in keys:
        pipeline.publish("scores", key)
        pipeline.publish("sentiment", key)
        if ticks:
            pipeline.tick()
    half = fresh_keys(1)[0]
    pipeline.publish("scores", half)
    pipeline.tick()
    assert pipeline.held([*keys, half]) == {keys[-1]}, "a half does not count as newer"
    assert repaired(keys) == [], "what was dropped on purpose is not lost"
    pipeline.publish("sentiment", half)
    pipeline.tick()
    assert pipeline.held([*keys, half]) == {half}
    set_paused("rankalpha_grading", False)
    pipeline.tick()
    assert pipeline.states([*keys, half]) == {half: "queued"}


def test_old_halves_are_forgotten_and_joined_all_the_same(pipeline):
    from airflow.models.asset import AssetPartitionDagRun
    from airflow.utils.session import create_session
    from sqlalchemy import func, select, update

    (key,) = fresh_keys(1)
    pipeline.publish("scores", key)
    of_key = AssetPartitionDagRun.partition_key == key
    with create_session() as session:
        long_ago = datetime.now(UTC) - timedelta(days=31)
        session.execute(update(AssetPartitionDagRun).where(of_key).values(created_at=long_ago))
    repair()
    with create_session() as session:
        assert session.scalar(select(func.count()).select_from(AssetPartitionDagRun).where(of_key)) == 0
    pipeline.publish("sentiment", key)
    assert [graded for graded, _ in pipeline.tick()] == [key]
