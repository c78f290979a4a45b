"""What a failing stage or service does to its batch, in a running Airflow with one retry.

Every way in which a stage or an answer can be wrong is in tests/unit/rankalpha/operators: test_stage.py,
test_stage_waiting.py and test_service.py.
"""

import json
import re
import time
from pathlib import Path

import psutil
import pytest

from rankalpha.runners.process_folder import container_of
from tests.support.services import FRONTEND, GRADING
from tests.support.waiting import wait_for

STAGE_TIMEOUT = 15  # seconds, as the stack is set


def processes(lane, stage, key):
    """The processes of a stage for a batch as their runner knows them, in no order."""
    all_of_them = map(container_of, (lane.stack.state / "processes").glob(f"rankalpha-{stage}-*"))
    of_lane = [one for one in all_of_them if one.labels["rankalpha.dag"] in lane.pipeline.dag_ids]
    return [one for one in of_lane if one.labels["rankalpha.batch"] == key]


def hanging(lane, key):
    """Let a batch begin whose ingestion hangs; return its run and the process of its stage."""
    run_id = lane.trigger("ingestion", key)
    (entry,) = wait_for("the stage that hangs", lambda: lane.journal("ingestion", key))
    return run_id, entry["pid"]


def marked_failed(lane, key, run_id, pid):
    """Mark the task of a stage that hangs as failed, as a person does: it is this that ends the stage."""
    lane.mark_failed("ingestion", run_id, "run_ingestion")
    wait_for("the end of the stage", lambda: not psutil.pid_exists(pid))
    lane.settle()
    (process,) = processes(lane, "ingestion", key)
    assert (process.ended - process.started).total_seconds() < STAGE_TIMEOUT, "its own limit has ended it"
    assert len(lane.journal("ingestion", key)) == 1
    assert lane.published("prices", key) == []


@pytest.mark.parametrize(
    ("minute", "mode", "attempts", "message"),
    [
        (1, "crash", 2, "exited with 1"),
        (2, "bad data", 1, "the stage's input is broken"),
        (3, "hang", 2, f"was stopped at its time limit of 0:00:{STAGE_TIMEOUT}"),
        (4, json.dumps({"details": {"note": "\0"}}), 1, "cannot be stored: $.details.note holds"),
    ],
)
def test_a_failing_stage_stops_its_batch_and_says_why(lane, minute, mode, attempts, message):
    key = f"2022-03-01T06:0{minute}:00"
    with lane.fault("scorer", mode):
        lane.ingest(key)
    run_id = lane.run_of("scoring", key)
    task = lane.tasks("scoring", run_id)["run_scorer"]
    assert (task["state"], task["try_number"]) == ("failed", attempts)
    log = lane.log("scoring", run_id, "run_scorer", attempts)
    assert message in log
    assert f"ALERT RankAlpha ACT NOW: {lane.dag('scoring')} failed for batch {key}" in log
    assert lane.published("scores", key) == []
    assert lane.published("sentiment", key), "sentiment is not affected"
    assert key not in lane.services.asked(GRADING)
    pids = [entry["pid"] for entry in lane.journal("scorer", key)]
    assert len(pids) == attempts
    assert not any(map(psutil.pid_exists, pids)), "also one that hangs is ended"


def test_a_command_that_cannot_be_used_fails_at_once_and_is_named(lane):
    key = "2022-03-02T06:00:00"
    file = Path(lane.stack.env["RANKALPHA_ENV_DIR"], lane.market.profile, "scorer.env")
    kept = file.read_text()
    file.write_text("SCORER_COMMAND=python '\n")
    try:
        lane.ingest(key)
    finally:
        file.write_text(kept)
    run_id = lane.run_of("scoring", key)
    task = lane.tasks("scoring", run_id)["run_scorer"]
    assert (task["state"], task["try_number"]) == ("failed", 1)
    log = lane.log("scoring", run_id, "run_scorer")
    assert re.search("SCORER_COMMAND=.*cannot be split into words: No closing quotation", log)
    assert lane.journal("scorer", key) == []


def test_a_stage_whose_task_a_person_marks_failed_is_ended(lane):
    key = "2022-03-08T06:00:00"
    with lane.fault("ingestion", "hang"):
        run_id, pid = hanging(lane, key)
        log = ("ingestion", run_id, "run_ingestion")
        wait_for("the triggerer to have it in hand", lambda: " starting" in lane.log(*log))
        marked_failed(lane, key, run_id, pid)


@pytest.mark.parametrize("delay", [0, 1.6, 1.9, 2.2, 2.5])
def test_a_stage_that_is_marked_failed_between_worker_and_triggerer_is_ended(lane, delay):
    """The worker waits for it for 2 s, then lets go of it, and the triggerer has not taken it over yet."""
    key = f"2022-03-10T06:00:{int(delay * 10):02}"
    with lane.fault("ingestion", "hang"):
        run_id, pid = hanging(lane, key)
        time.sleep(delay)
        marked_failed(lane, key, run_id, pid)


def test_a_broken_contract_publishes_nothing_until_it_is_fixed(lane):
    key = "2022-03-03T06:00:00"
    with lane.fault("ingestion", "no rows"):
        run_id = lane.ingest(key)
    assert "Rows is 0; expected at least 1" in lane.log("ingestion", run_id, "publish_prices")
    assert lane.published("prices", key) == []
    lane.api.post(f"dags/{lane.dag('ingestion')}/dagRuns/{run_id}/clear", {"dry_run": False})
    lane.settle()
    assert lane.services.asked(GRADING).count(key) == 1


@pytest.mark.parametrize(
    ("minute", "status", "body", "attempts", "message"),
    [
        (1, 500, "out of order", 2, "answered 500: out of order"),
        (2, 200, "{}", 1, "The stage reported no result"),
    ],
)
def test_an_api_that_does_not_grade_publishes_no_grades(lane, minute, status, body, attempts, message):
    key = f"2022-03-04T06:0{minute}:00"
    with lane.services.answering(GRADING, body, status):
        lane.ingest(key)
    run_id = lane.run_of("grading", key)
    (failed,) = [task for task in lane.tasks("grading", run_id).values() if task["state"] == "failed"]
    assert failed["try_number"] == attempts
    assert message in lane.log("grading", run_id, failed["task_id"], attempts)
    assert lane.published("grades", key) == []
    assert key not in lane.services.asked(FRONTEND)


def test_a_frontend_that_is_down_leaves_the_grades_published_and_is_alerted(lane):
    key = "2022-03-05T06:00:00"
    with lane.services.answering(FRONTEND, "down", 503):
        lane.ingest(key)
    run_id = lane.run_of("grading", key)
    notify = lane.tasks("grading", run_id)["notify_frontend"]
    assert (notify["state"], notify["try_number"]) == ("failed", 2)
    subject = f"ALERT RankAlpha LOOK TODAY: {lane.dag('grading')} did not notify the frontend of batch {key}"
    assert subject in lane.log("grading", run_id, "notify_frontend", 2)
    assert lane.published("grades", key)
