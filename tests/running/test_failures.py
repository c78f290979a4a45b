"""What a failing stage or service does to its batch, in a running Airflow with one retry."""

import contextlib
import hashlib
import json
import time

import psutil
import pytest

from tests.faults.components import arm
from tests.support.services import FRONTEND, GRADING
from tests.support.waiting import wait_for


@contextlib.contextmanager
def broken(services, path, status, body):
    """Let a service answer something else for a while."""
    services.broken[path] = (status, body)
    try:
        yield
    finally:
        del services.broken[path]


def ingest(stack, key):
    run_id = stack.trigger("rankalpha_ingestion", key)
    stack.settle()
    return run_id


def journal(stack, stage, key):
    """What a stage has told of itself for a batch, oldest first."""
    file = stack.state / "data/journal.jsonl"
    entries = map(json.loads, file.read_text().splitlines() if file.exists() else [])
    return [entry for entry in entries if (entry["stage"], entry["batch"]) == (stage, key)]


def run_of(stack, dag_id, key):
    (run,) = stack.runs(dag_id, partition_key_prefix_pattern=key)
    return run["dag_run_id"]


@pytest.mark.parametrize(
    ("minute", "mode", "tries", "message"),
    [
        (1, "crash", 2, "exited with 1"),
        (2, "bad data", 1, "the stage's input is broken"),
        (3, "malformed", 1, "the stage's result is not JSON"),
        (4, "hang", 2, "was stopped at its time limit of 0:00:15"),
    ],
)
def test_a_failing_stage_stops_its_batch_and_says_why(stack, services, minute, mode, tries, message):
    key = f"2022-03-01T06:0{minute}:00"
    with stack.fault("scorer", mode):
        ingest(stack, key)
    run_id = run_of(stack, "rankalpha_scoring", key)
    task = stack.tasks("rankalpha_scoring", run_id)["run_scorer"]
    assert (task["state"], task["try_number"]) == ("failed", tries)
    log = stack.log("rankalpha_scoring", run_id, "run_scorer", tries)
    assert message in log
    assert "ALERT RankAlpha ACT NOW: rankalpha_scoring.run_scorer failed" in log
    assert key not in {event["partition_key"] for event in stack.events("scores")}
    assert key in {event["partition_key"] for event in stack.events("sentiment")}, "sentiment is not affected"
    assert key not in services.asked(GRADING)


def test_a_stage_that_hangs_is_ended(stack, services):
    """No process of a stage that ran into its time limit is left."""
    key = "2022-03-02T06:00:00"
    with stack.fault("sentiment", "hang"):
        ingest(stack, key)
    pids = [entry["pid"] for entry in journal(stack, "sentiment", key)]
    assert len(pids) == 2
    assert not any(map(psutil.pid_exists, pids))


def test_a_stage_whose_task_a_person_marks_failed_is_ended(stack, services):
    key = "2022-03-08T06:00:00"
    with stack.fault("ingestion", "hang"):
        run_id = stack.trigger("rankalpha_ingestion", key)
        entries = wait_for(lambda: journal(stack, "ingestion", key))
        # the triggerer has it in hand
        wait_for(lambda: " starting" in stack.log("rankalpha_ingestion", run_id, "run_ingestion"))
        stack.mark_failed(f"dags/rankalpha_ingestion/dagRuns/{run_id}/taskInstances/run_ingestion")
        wait_for(lambda: not psutil.pid_exists(entries[0]["pid"]))
    stack.settle()
    assert len(journal(stack, "ingestion", key)) == 1
    assert key not in {event["partition_key"] for event in stack.events("prices")}


@pytest.mark.parametrize("delay", [0, 4.6, 4.9, 5.2, 5.5])
def test_a_stage_that_is_marked_failed_between_worker_and_triggerer_is_ended(stack, services, delay):
    """The worker waits for it, then lets go of it, and the triggerer has not taken it over yet."""
    key = f"2022-03-10T06:00:{int(delay * 10):02}"
    with stack.fault("ingestion", "hang"):
        run_id = stack.trigger("rankalpha_ingestion", key)
        entries = wait_for(lambda: journal(stack, "ingestion", key))
        time.sleep(delay)
        stack.mark_failed(f"dags/rankalpha_ingestion/dagRuns/{run_id}/taskInstances/run_ingestion")
        wait_for(lambda: not psutil.pid_exists(entries[0]["pid"]))
    stack.settle()
    assert len(journal(stack, "ingestion", key)) == 1


def test_a_stage_that_is_marked_failed_while_the_triggerer_is_down_is_ended(stack, services):
    key = "2022-03-11T06:00:00"
    with stack.fault("ingestion", "hang"):
        run_id = stack.trigger("rankalpha_ingestion", key)
        entries = wait_for(lambda: journal(stack, "ingestion", key))
        wait_for(lambda: " starting" in stack.log("rankalpha_ingestion", run_id, "run_ingestion"))
        arm(stack, None, "triggerer")()
        stack.mark_failed(f"dags/rankalpha_ingestion/dagRuns/{run_id}/taskInstances/run_ingestion")
        wait_for(lambda: not psutil.pid_exists(entries[0]["pid"]))
    stack.settle()


def test_a_broken_contract_publishes_nothing_until_it_is_mended(stack, services):
    key = "2022-03-03T06:00:00"
    with stack.fault("ingestion", "no rows"):
        run_id = ingest(stack, key)
    assert "rows is 0, at least 1 expected" in stack.log("rankalpha_ingestion", run_id, "publish_prices")
    assert key not in {event["partition_key"] for event in stack.events("prices")}
    stack.api.post(f"dags/rankalpha_ingestion/dagRuns/{run_id}/clear", {"dry_run": False})
    stack.settle()
    assert services.asked(GRADING).count(key) == 1


@pytest.mark.parametrize(
    ("minute", "status", "body", "tries", "message"),
    [
        (1, 500, "out of order", 2, "answered 500: out of order"),
        (2, 409, '{"detail": "scores are missing"}', 1, "scores are missing"),
        (3, 200, "<html>welcome</html>", 2, "something else than JSON"),
        (4, 200, '{"batch": "1999-01-01T00:00:00"}', 2, "but not about batch"),
        (5, 200, "{}", 1, "the stage reported no result"),
    ],
)
def test_an_api_that_does_not_grade_publishes_no_grades(
    stack, services, minute, status, body, tries, message
):
    key = f"2022-03-04T06:0{minute}:00"
    with broken(services, GRADING, status, body):
        ingest(stack, key)
    run_id = run_of(stack, "rankalpha_grading", key)
    found = stack.tasks("rankalpha_grading", run_id)
    failed = next(task for task in found.values() if task["state"] == "failed")
    assert failed["try_number"] == tries
    assert message in stack.log("rankalpha_grading", run_id, failed["task_id"], tries).replace('\\"', '"')
    assert key not in {event["partition_key"] for event in stack.events("grades")}
    assert key not in services.asked(FRONTEND)


def test_a_frontend_that_is_down_leaves_the_grades_published_and_is_alerted(stack, services):
    key = "2022-03-05T06:00:00"
    with broken(services, FRONTEND, 503, "down"):
        ingest(stack, key)
    run_id = run_of(stack, "rankalpha_grading", key)
    notify = stack.tasks("rankalpha_grading", run_id)["notify_frontend"]
    assert (notify["state"], notify["try_number"]) == ("failed", 2)
    assert "ALERT RankAlpha LOOK TODAY: rankalpha_grading.notify_frontend failed" in stack.log(
        "rankalpha_grading", run_id, "notify_frontend", 2
    )
    assert key in {event["partition_key"] for event in stack.events("grades")}


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [("ENV_PROFILE", "moon", "unknown profile 'moon'"), ("SCORER_CPUS", "many", "SCORER_CPUS='many'")],
)
def test_a_wrong_setting_fails_at_once_and_is_named(stack, key, value, message):
    ingest(stack, "2022-03-07T06:00:00")
    with stack.variables(**{key: value}):
        run_id = stack.trigger("rankalpha_scoring", "2022-03-07T06:00:00")
        stack.settle()
    task = stack.tasks("rankalpha_scoring", run_id)["run_scorer"]
    assert (task["state"], task["try_number"]) == ("failed", 1)
    assert message in stack.log("rankalpha_scoring", run_id, "run_scorer")


def test_variables_reach_the_stage_that_they_are_for(stack):
    secret, key = "sk-51d0-for-one-stage", "2022-03-06T06:00:00"
    with stack.variables(OPENAI_API_KEY=secret, SENTIMENT_CONSENSUS_LIMIT="3"):
        ingest(stack, key)
    hashed = hashlib.sha256(secret.encode()).hexdigest()
    assert [(entry["limit"], entry["key"]) for entry in journal(stack, "sentiment", key)] == [("3", hashed)]
    assert [entry["key"] == hashed for entry in journal(stack, "scorer", key)] == [False]
