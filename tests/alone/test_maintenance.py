"""The maintenance DAG in a running Airflow: what it removes, and what it keeps."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from old_rows import OLD, backdate, batches, ingest

from rankalpha.identity import SET_ASIDE, Identity
from rankalpha.runners.process import ProcessRunner
from rankalpha.settings import settings
from rankalpha.stages import SCORER
from tests.support.services import GRADING
from tests.support.waiting import wait_for

DAG = "rankalpha_maintenance"
WATCHDOG = "rankalpha_watchdog"


@pytest.fixture
def engine(stack, monkeypatch):
    """The runner of the stack's own stages."""
    for key, value in (
        ("PROCESS_DIR", stack.state / "processes"),
        ("STACK", stack.state),
        ("APP_DIR", stack.checkout),
        ("ENV_DIR", stack.env["RANKALPHA_ENV_DIR"]),
    ):
        monkeypatch.setenv(f"RANKALPHA_{key}", str(value))
    settings.cache_clear()
    yield ProcessRunner()
    settings.cache_clear()


def maintain(stack, dag_id=DAG):
    """Run the maintenance; return what its tasks have logged."""
    run_id = stack.trigger(dag_id)
    ended = ["success", "failed"]
    (run,) = wait_for(lambda: stack.runs(dag_id, run_id_pattern=run_id, state=ended), seconds=90)
    logs = {task: stack.log(dag_id, run_id, task) for task in stack.tasks(dag_id, run_id)}
    assert run["state"] == "success", logs
    return logs


def test_old_rows_and_logs_go_and_the_batches_stay(stack, services, database):
    key = "2022-05-01T06:00:00"
    with stack.fault("ingestion", "slow"):  # its task is deferred
        run_id = ingest(stack, key)
    assert services.asked(GRADING).count(key) == 1
    backdate(database, key)
    ingest(stack, "2022-05-01T07:00:00")  # for each DAG's newest run stays
    log = stack.state / "airflow/logs" / f"dag_id=rankalpha_ingestion/run_id={run_id}/task_id=run_ingestion"
    (file,) = log.glob("attempt=1.log")
    os.utime(file, (0, 0))
    logs = maintain(stack)

    assert not file.exists()
    assert log.exists(), "the triggerer's log is young"
    assert "1 files" in logs["prune_logs"]
    dags = ("rankalpha_ingestion", "rankalpha_scoring", "rankalpha_sentiment", "rankalpha_grading")
    assert [stack.runs(dag, partition_key_prefix_pattern=key) for dag in dags] == [[]] * 4
    assert database("SELECT count(*) FROM task_instance WHERE run_id = :run", run=run_id).scalar() == 0
    assert "4 of dag_run" in logs["prune_metadata"]
    for dataset in ("prices", "scores", "sentiment", "grades"):
        assert key in {event["partition_key"] for event in stack.events(dataset)}
        assert key in batches(database, dataset)
    assert not database("SELECT 1 FROM pg_tables WHERE tablename LIKE '_airflow_deleted%'").all()

    stack.trigger("rankalpha_sentiment", key)  # its other half is older than all that is kept
    stack.settle()
    assert services.asked(GRADING).count(key) == 2


def test_a_join_that_waits_for_a_half_survives(stack, services, database):
    key = "2022-05-02T06:00:00"
    with stack.fault("sentiment", "bad data"):
        ingest(stack, key)
    backdate(database, key)
    maintain(stack)
    assert not stack.runs("rankalpha_sentiment", partition_key_prefix_pattern=key)
    assert key not in services.asked(GRADING)
    stack.trigger("rankalpha_sentiment", key)
    stack.settle()
    assert services.asked(GRADING).count(key) == 1


def test_each_dags_newest_scheduled_run_stays(stack, database):
    """The next one is reckoned from it."""
    from_date = datetime(2022, 6, 1, tzinfo=UTC)
    stack.api.post(
        "backfills",
        {
            "dag_id": "rankalpha_ingestion",
            "from_date": from_date.isoformat(),
            "to_date": (from_date + timedelta(hours=47)).isoformat(),
            "max_active_runs": 1,
            "reprocess_behavior": "none",
        },
    )
    stack.settle()
    query = "UPDATE dag_run SET start_date = start_date - :age WHERE dag_id = :dag AND run_type <> 'manual'"
    assert database(query, age=OLD, dag="rankalpha_ingestion").rowcount >= 2
    newest = (
        "SELECT run_id FROM dag_run WHERE dag_id = :dag AND run_type <> 'manual' ORDER BY start_date DESC"
    )
    expected = database(newest, dag="rankalpha_ingestion").scalars().first()
    maintain(stack)
    assert database(newest, dag="rankalpha_ingestion").scalars().all() == [expected]


def test_a_run_that_has_not_ended_keeps_what_is_younger(stack, database):
    key = "2022-05-03T06:00:00"
    ingest(stack, key)
    backdate(database, key)
    stack.api._call("PATCH", "dags/rankalpha_scoring", json={"is_paused": True})
    try:
        waiting = stack.trigger("rankalpha_scoring", key)
        due = datetime.now(UTC) - OLD - timedelta(days=1)
        database("UPDATE dag_run SET run_after = :due WHERE run_id = :run", due=due, run=waiting)
        assert f"has not ended since {due:%Y-%m-%d}" in maintain(stack)["prune_metadata"]
        assert len(stack.runs("rankalpha_scoring", partition_key_prefix_pattern=key)) == 2
        stack.delete(f"dags/rankalpha_scoring/dagRuns/{waiting}")
        maintain(stack)
        assert stack.runs("rankalpha_scoring", partition_key_prefix_pattern=key) == []
    finally:
        stack.api._call("PATCH", "dags/rankalpha_scoring", json={"is_paused": False})


def abandoned(engine, run, seconds):
    """Start a stage of a task that Airflow knows nothing of."""
    key = "2022-05-04T06:00:00"
    who = Identity("scorer", key, "rankalpha_scoring", "run_scorer", run, -1, 1, 1)
    stack_labels = {**who.labels, "rankalpha.stack": settings().stack}
    job = SCORER.job(key, stack_labels)
    job = replace(job, command=f"sleep {seconds}")
    container = engine.create(job, who.name)
    engine.start(container, job)
    return engine.look(container.id)


def test_orphans_are_stopped_and_stages_in_flight_are_not(stack, engine, monkeypatch):
    monkeypatch.setattr("rankalpha.profile.variable", lambda _: None)
    orphan = abandoned(engine, "no_such_run", 600)
    assert orphan.running
    key = "2022-05-05T06:00:00"
    with stack.fault("ingestion", "hang"):
        run_id = stack.trigger("rankalpha_ingestion", key)
        labels = {"rankalpha.run": run_id}
        (stage,) = wait_for(lambda: [one for one in engine.containers(labels) if one.running])
        maintain(stack, WATCHDOG)
        rounds = stack.runs(WATCHDOG, state=["success"])  # one by the clock may have been faster
        log = "".join(stack.log(WATCHDOG, one["dag_run_id"], "sweep_containers") for one in rounds)
        assert engine.look(orphan.id).name == f"{orphan.name}{SET_ASIDE}1"
        assert not engine.look(orphan.id).running
        assert f"Stopping orphan {orphan.name}" in log
        assert f"Stopping orphan {stage.name}" not in log
        stack.mark_failed(f"dags/rankalpha_ingestion/dagRuns/{run_id}")
        stack.settle()
    engine.remove(orphan.id)
