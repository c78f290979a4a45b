"""The maintenance DAG in a running Airflow: what it removes, and what it keeps."""

import os
import re
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rankalpha.runners.identity import SET_ASIDE, Identity
from rankalpha.runners.process import ProcessRunner
from rankalpha.settings import settings
from rankalpha.stages.job import StageJob
from rankalpha.stages.scorer import SCORER
from tests.alone.old_rows import OLD, backdate, batches
from tests.support.backfills import backfill
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


def maintain(stack, since=None, dag_id=DAG):
    """Run the maintenance; return what all its runs since then have logged, also one by the clock."""
    since, ended = since or datetime.now(UTC), ["success", "failed"]
    run_id = stack.trigger(dag_id)
    wait_for(f"a run of {dag_id}", lambda: stack.runs(dag_id, run_id_pattern=run_id, state=ended))
    logs = defaultdict(str)
    for run in stack.runs(dag_id, state=ended, start_date_gte=since.isoformat()):
        for task in stack.tasks(dag_id, run["dag_run_id"]):
            logs[task] += stack.log(dag_id, run["dag_run_id"], task)
        assert run["state"] == "success", logs
    return logs


def old_runs(database):
    """How many runs are older than what is kept, with those that are kept as the newest of their DAG."""
    query = "SELECT count(*) FROM dag_run WHERE start_date < now() - CAST(:age AS interval)"
    return database(query, age=OLD - timedelta(days=1)).scalar_one()


def removed(logs, what, task):
    """How many of a kind the logs of a task say that were removed."""
    return sum(map(int, re.findall(rf"(\d+) {what}\b", logs[task])))


def test_old_rows_and_logs_go_and_the_batches_stay(stack, lane, services, database):
    key = "2022-05-01T06:00:00"
    with lane.fault("ingestion", "slow"):  # its task is deferred
        run_id = lane.ingest(key)
    assert services.asked(GRADING).count(key) == 1
    lane.ingest("2022-05-01T07:00:00")  # because each DAG's newest run stays
    since, others = datetime.now(UTC), old_runs(database)
    backdate(database, key)
    log = stack.state / "airflow/logs" / f"dag_id=rankalpha_ingestion/run_id={run_id}/task_id=run_ingestion"
    (file,) = log.glob("attempt=1.log")
    os.utime(file, (0, 0))
    logs = maintain(stack, since)

    assert not file.exists()
    assert log.exists(), "the triggerer's log is young"
    assert removed(logs, "files?", "prune_logs") == 1
    steps = ("ingestion", "scoring", "sentiment", "grading", "evaluation")
    assert [lane.runs_of(step, key) for step in steps] == [[]] * 5
    assert database("SELECT count(*) FROM task_instance WHERE run_id = :run", run=run_id).scalar() == 0
    # those of other tests may go too
    assert removed(logs, "of dag_run", "prune_metadata") == others + 5 - old_runs(database)
    for dataset in ("prices", "scores", "sentiment", "grades"):
        assert lane.published(dataset, key)
        assert key in batches(database, dataset)
    assert not database("SELECT 1 FROM pg_tables WHERE tablename LIKE '_airflow_deleted%'").all()

    lane.trigger("sentiment", key)  # its other half is older than all that is kept
    lane.settle()
    assert services.asked(GRADING).count(key) == 2


def test_a_join_that_waits_for_a_half_survives(stack, lane, services, database):
    key = "2022-05-02T06:00:00"
    with lane.fault("sentiment", "bad data"):
        lane.ingest(key)
    lane.ingest("2022-05-02T07:00:00")  # because each DAG's newest run stays
    backdate(database, key)
    maintain(stack)
    assert not lane.runs_of("sentiment", key)
    assert key not in services.asked(GRADING)
    lane.trigger("sentiment", key)
    lane.settle()
    assert services.asked(GRADING).count(key) == 1


def test_each_dags_newest_scheduled_run_stays(stack, lane, database):
    """The next one is reckoned from it."""
    backfill(lane, datetime(2022, 6, 1, tzinfo=UTC), days=2)
    lane.settle()
    query = "UPDATE dag_run SET start_date = start_date - :age WHERE dag_id = :dag AND run_type <> 'manual'"
    assert database(query, age=OLD, dag="rankalpha_ingestion").rowcount >= 2
    newest = (
        "SELECT run_id FROM dag_run WHERE dag_id = :dag AND run_type <> 'manual' ORDER BY start_date DESC"
    )
    expected = database(newest, dag="rankalpha_ingestion").scalars().first()
    maintain(stack)
    assert database(newest, dag="rankalpha_ingestion").scalars().all() == [expected]


def test_a_run_that_has_not_ended_keeps_what_is_younger(stack, lane, database):
    key = "2022-05-03T06:00:00"
    lane.ingest(key)
    lane.ingest("2022-05-03T07:00:00")  # because each DAG's newest run stays
    with lane.paused("scoring"):
        waiting = lane.trigger("scoring", key)
        due = datetime.now(UTC) - OLD - timedelta(days=1)
        database("UPDATE dag_run SET run_after = :due WHERE run_id = :run", due=due, run=waiting)
        backdate(database, key)
        assert f"Rows are kept since {due:%Y-%m-%d}" in maintain(stack)["prune_metadata"]
        assert len(lane.runs_of("scoring", key)) == 2
        stack.delete(f"dags/rankalpha_scoring/dagRuns/{waiting}")
        maintain(stack)
        assert lane.runs_of("scoring", key) == []


def abandoned(engine, run, seconds):
    """Start a stage of a task that Airflow knows nothing of."""
    key = "2022-05-04T06:00:00"
    who = Identity("scorer", key, "rankalpha_scoring", "run_scorer", run, -1, 1, 1)
    stack_labels = {**who.labels, "rankalpha.stack": settings().stack}
    job = StageJob.of(SCORER, key, stack_labels)
    job = replace(job, command=f"sleep {seconds}")
    container = engine.create(job, who.name)
    engine.start(container, job)
    return engine.inspect(container.id)


def test_orphans_are_stopped_and_stages_in_flight_are_not(stack, lane, engine, monkeypatch):
    monkeypatch.setattr("rankalpha.stages.profile.variable", lambda _: None)
    since = datetime.now(UTC)
    orphan = abandoned(engine, "no_such_run", 600)
    assert orphan.running
    key = "2022-05-05T06:00:00"
    with lane.fault("ingestion", "hang"):
        run_id = lane.trigger("ingestion", key)
        labels = {"rankalpha.run": run_id}
        (stage,) = wait_for("the stage", lambda: [one for one in engine.containers(labels) if one.running])
        log = maintain(stack, since, WATCHDOG)["sweep_containers"]
        assert engine.inspect(orphan.id).name == f"{orphan.name}{SET_ASIDE}1"
        assert not engine.inspect(orphan.id).running
        assert f"Stopping orphan {orphan.name}" in log
        assert f"Stopping orphan {stage.name}" not in log
        lane.mark_failed("ingestion", run_id)
        lane.settle()
    engine.remove(orphan.id)
