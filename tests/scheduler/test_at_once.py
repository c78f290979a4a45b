"""A batch that the task before the publishing task has published, on Airflow's own code and tables."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.scheduler.joining import Pipeline, begun, fresh_keys

HALVES = {"scores": ("run_scorer", "publish_scores"), "sentiment": ("run_ai_analysis", "publish_sentiment")}


@pytest.fixture(scope="module")
def pipeline(airflow_db):
    return Pipeline()


def begin(pipeline, asset, key, state=None):
    """Begin a run, with a row for each task; the publishing task has `state`. Returns the run's id."""
    from airflow.utils.session import create_session

    made = begun(asset, key)
    with create_session() as session:
        session.add(made)
        session.flush()
        made.dag = pipeline.dags[made.dag_id]
        made.verify_integrity(dag_version_id=None, session=session)
        task_of(session, asset, made.run_id, 1).state = state
        return made.run_id


def task_of(session, asset, run_id, which):
    from airflow.models.taskinstance import TaskInstance
    from sqlalchemy import select

    name = HALVES[asset][which]
    return session.scalar(
        select(TaskInstance).where(TaskInstance.run_id == run_id, TaskInstance.task_id == name)
    )


def end(asset, run_id, key, *, barrier=None, patience=""):
    """Let the first task of a run end as Airflow's API server does; return the names of its events' tasks."""
    from airflow.api_fastapi.execution_api.datamodels.asset import AssetProfile
    from airflow.models.asset import AssetEvent
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session
    from sqlalchemy import select, text

    of_asset = {"name": asset, "uri": f"rankalpha://{asset}/"}
    event = {"dest_asset_key": of_asset, "extra": {"rows": 1}, "partition_key": key}
    with create_session() as session:
        if patience:
            session.execute(text(f"SET LOCAL lock_timeout = '{patience}'"))
        task = task_of(session, asset, run_id, 0)
        if barrier:
            barrier.wait()
        TaskInstance.register_asset_changes_in_db(
            task, [AssetProfile(**of_asset, type="Asset")], [event], session=session
        )
        task.state = "success"
    with create_session() as session:
        events = select(AssetEvent).where(AssetEvent.source_run_id == run_id, AssetEvent.partition_key == key)
        return [found.source_task_id for found in session.scalars(events)]


def left(asset, run_id):
    """State, attempt and note of the publishing task, and the state of the task before it."""
    from airflow.utils.session import create_session

    with create_session() as session:
        first, last = (task_of(session, asset, run_id, which) for which in (0, 1))
        return last.state, last.try_number, last.note, first.state


def test_the_event_is_that_of_the_publishing_task_which_need_not_run(pipeline):
    (key,) = fresh_keys(1)
    run_id = begin(pipeline, "scores", key)
    assert end("scores", run_id, key) == ["publish_scores"]
    note = f"Batch {key} was checked and published at the end of run_scorer; see its log."
    assert left("scores", run_id) == ("success", 1, note, "success")


@pytest.mark.parametrize("state", ["success", "failed", "running", "skipped"])
def test_a_publishing_task_that_has_a_state_is_left_alone(pipeline, state):
    """A person may have marked it, or cleared the task before it alone."""
    (key,) = fresh_keys(1)
    run_id = begin(pipeline, "scores", key, state)
    assert end("scores", run_id, key) == []
    assert left("scores", run_id) == (state, 0, None, "success")


def test_what_the_database_refuses_is_left_to_the_publishing_task(pipeline):
    """Airflow would fail the task that has made the result."""
    from airflow.settings import engine

    from rankalpha.joins import waiting

    (key,) = fresh_keys(1)
    run_id = begin(pipeline, "scores", key)
    with engine.begin() as other:
        waiting.lock(other)
        assert end("scores", run_id, key, patience="200ms") == []
    assert left("scores", run_id) == (None, 0, None, "success")


def test_halves_that_end_at_the_same_instant_are_graded_once(pipeline):
    keys = fresh_keys(20)
    for key in keys:
        runs = {asset: begin(pipeline, asset, key) for asset in HALVES}
        barrier = threading.Barrier(2)
        with ThreadPoolExecutor(2) as pool:
            ends = [pool.submit(end, asset, run, key, barrier=barrier) for asset, run in runs.items()]
            assert [each.result() for each in ends] == [["publish_scores"], ["publish_sentiment"]]
    assert sorted(key for key, _ in pipeline.tick("two")) == keys
