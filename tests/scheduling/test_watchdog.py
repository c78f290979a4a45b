"""The watchdog in a running Airflow: what it repairs, what it tells and how often."""

import json
import re
from datetime import UTC, datetime

import pytest

from rankalpha.maintenance.metadata import PREFIX
from rankalpha.watchdog import DAG_ID, REPAIR
from tests.support.stack import wait_for

ENDED = ["success", "failed"]


def watch(stack, since="2000-01-01T00:00:00+00:00"):
    """Let the watchdog do a round; return the logs of all rounds since then, also of those by the clock."""
    run_id = stack.trigger(DAG_ID)
    wait_for(lambda: stack.runs(DAG_ID, run_id_pattern=run_id, state=ENDED), seconds=90)
    assert stack.tasks(DAG_ID, run_id)["watch_batches"]["state"] == "success"
    rounds = stack.runs(DAG_ID, state=ENDED, start_date_gte=since)
    logs = [json.loads(stack.log(DAG_ID, run["dag_run_id"], "watch_batches"))["content"] for run in rounds]
    return "\n".join(line["event"] for log in logs for line in log)


def from_outside(stack):
    """What scripts/health.py shows, as JSON, and its exit status."""
    done = stack.script("health.py", "--json")
    return json.loads(done.stdout), done.returncode


def states(stack, key):
    shown, _ = from_outside(stack)
    (batch,) = [one for one in shown["batches"] if one["batch"] == key]
    return {one["step"]: one["state"] for one in batch["steps"]}


def incidents(stack):
    return {one["subject"] for one in from_outside(stack)[0]["incidents"]}


def set_paused(stack, dag_id, paused):
    stack.api._call("PATCH", f"dags/{dag_id}", json={"is_paused": paused})


def gradings(stack, key):
    return stack.runs("rankalpha_grading", partition_key_prefix_pattern=key)


def test_it_says_where_a_graded_batch_stands(stack, services):
    key = "2021-03-01T06:00:00"
    stack.trigger("rankalpha_ingestion", key)
    stack.settle()
    assert set(states(stack, key).values()) == {"done"}
    assert f"Batch {key}: graded" in watch(stack)


def test_a_join_that_was_lost_is_repaired_once(stack, services, database):
    """The halves wait apart, as after two simultaneous events with stock Airflow (issue 71070)."""
    key = "2021-03-02T06:00:00"
    set_paused(stack, "rankalpha_grading", True)
    try:
        stack.trigger("rankalpha_ingestion", key)
        (queued,) = wait_for(lambda: gradings(stack, key), seconds=60)
        assert queued["state"] == "queued"
        wait_for(lambda: states(stack, key)["grading"] == "paused")
        # as if Airflow had made no run of the two
        database(f"DELETE FROM dag_run WHERE run_id = '{queued['dag_run_id']}'")
    finally:
        set_paused(stack, "rankalpha_grading", False)
    assert states(stack, key)["grading"] == "lost"
    watch(stack)
    assert watch(stack).count(f"Repaired: batch {key} was lost on the way to rankalpha_grading") == 1
    stack.settle()
    assert [run["state"] for run in gradings(stack, key)] == ["success"]
    assert set(states(stack, key).values()) == {"done"}


@pytest.mark.parametrize(
    ("minute", "dag_id"), enumerate(["rankalpha_scoring", "rankalpha_sentiment", "rankalpha_grading"], 1)
)
def test_a_batch_that_was_ingested_during_a_pause_is_graded_once_after_it(stack, services, minute, dag_id):
    key = f"2021-03-03T06:0{minute}:00"
    begun = datetime.now(UTC).isoformat()
    set_paused(stack, dag_id, True)
    try:
        stack.trigger("rankalpha_ingestion", key)
        (waiting,) = wait_for(lambda: stack.runs(dag_id, partition_key_prefix_pattern=key), seconds=60)
        assert waiting["state"] == "queued"
        watch(stack, begun)
        said = [line for line in watch(stack, begun).splitlines() if f"{dag_id} is paused" in line]
        subject = f"{dag_id} is paused, and 1 batch(es) wait for it"
        alerts = [line for line in said if line.startswith("ALERT")]
        assert alerts == [f"ALERT RankAlpha LOOK TODAY: {subject}"]
        assert f"Still so: {subject}" in said
    finally:
        set_paused(stack, dag_id, False)
    stack.settle()
    assert [run["state"] for run in gradings(stack, key)] == ["success"]
    assert f"Over: {dag_id} is paused, and 1 batch(es) wait for it" in watch(stack, begun)


def test_a_failed_stage_is_told_by_its_task_and_not_again(stack, services):
    key = "2021-03-04T06:00:00"
    with stack.fault("scorer", "bad data"):
        stack.trigger("rankalpha_ingestion", key)
        stack.settle()
    subject = f"rankalpha_scoring failed for batch {key}"
    assert subject in incidents(stack)
    log = watch(stack)
    assert f"Still so: {subject}" in log
    assert not re.search(f"ALERT RankAlpha [A-Z ]+: {subject}", log)
    (run,) = stack.runs("rankalpha_scoring", partition_key_prefix_pattern=key)
    stack.clear("rankalpha_scoring", run["dag_run_id"], "run_scorer")
    stack.settle()
    assert subject not in incidents(stack)
    assert len(gradings(stack, key)) == 1


def test_only_who_may_trigger_a_dag_may_repair(stack):
    answer = stack.api._session.post(f"{stack.api.url}{PREFIX}{REPAIR}", json={"days": -1}, timeout=10)
    assert answer.status_code == 422
    del stack.api._session.headers["Authorization"]
    answer = stack.api._session.post(f"{stack.api.url}{PREFIX}{REPAIR}", json={"days": 1}, timeout=10)
    assert answer.status_code in (401, 403)
