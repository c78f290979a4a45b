"""The watchdog in a running Airflow: what it repairs, what it alerts and how often.

Rounds by the clock and those of other lanes are among those that are checked, and change nothing.
"""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
import requests

from rankalpha.airflow_api import OWN_ROUTES, REPAIR, AirflowApiError
from tests.support.waiting import wait_for

ENDED = ["success", "failed"]


@pytest.fixture
def begun():
    """Before the test: a round that has just begun may look when something is there to be seen."""
    return (datetime.now(UTC) - timedelta(minutes=1)).isoformat()


def watch(lane, since):
    """Let the watchdog do a round; return the logs of all rounds since then, whoever began them."""
    run_id = lane.trigger("watchdog")
    ended = {"run_id_pattern": run_id, "state": ENDED}
    wait_for("the watchdog's round", lambda: lane.runs("watchdog", **ended), seconds=120)
    assert lane.tasks("watchdog", run_id)["watch_batches"]["state"] == "success"
    rounds = lane.runs("watchdog", state=ENDED, start_date_gte=since)
    logs = [json.loads(lane.log("watchdog", run["dag_run_id"], "watch_batches"))["content"] for run in rounds]
    return "\n".join(line["event"] for log in logs for line in log)


def health(lane):
    """What `rankalpha health` shows."""
    return json.loads(lane.command("health", "--json").stdout)


def states(lane, key):
    """The state of each step of a batch."""
    (batch,) = [one for one in health(lane)["batches"] if one["batch"] == key]
    return {one["step"]: one["state"] for one in batch["steps"]}


def incidents(lane):
    return {one["subject"] for one in health(lane)["incidents"]}


def test_it_says_where_a_graded_batch_stands(lane, begun):
    key = "2021-03-01T06:00:00"
    lane.ingest(key)
    assert set(states(lane, key).values()) == {"done"}
    assert f"Batch {lane.market.named(key)}: graded" in watch(lane, begun)


def test_an_incident_that_an_earlier_version_kept_in_a_variable_is_taken_over(lane, begun):
    incident = {"key": "long ago", "subject": "it broke long ago", "text": "", "urgency": "LOOK TODAY"}
    incident |= {"batch": "", "market": lane.market.name}
    stored = {"incident": incident, "at": "2021-03-01T06:14:00+00:00", "told": [], "unsent": []}
    name = "rankalpha_incident_0123456789ab"
    lane.api.post("variables", {"key": name, "value": json.dumps(stored), "description": "it broke"})
    assert "Resolved: it broke long ago" in watch(lane, begun)
    with pytest.raises(AirflowApiError, match="404"):
        lane.api.get(f"variables/{name}")


def test_a_join_that_was_lost_is_repaired_once(lane, begun):
    """The halves wait apart, as after two simultaneous events with stock Airflow (issue 71070)."""
    key = "2021-03-02T06:00:00"
    with lane.paused("grading"):
        lane.trigger("ingestion", key)
        (queued,) = wait_for("the run that the pause holds", lambda: lane.runs_of("grading", key))
        assert queued["state"] == "queued"
        lane.settle(waiting=1)
        assert states(lane, key)["grading"] == "paused"
        # as if Airflow had made no run of the two
        gone = f"DELETE FROM dag_run WHERE run_id = '{queued['dag_run_id']}' RETURNING run_id"
        assert lane.stack.query(gone) == [queued["dag_run_id"]]
        assert states(lane, key)["grading"] == "paused"
    watch(lane, begun)
    repaired = f"Repaired: batch {key} had not reached {lane.dag('grading')}"
    assert watch(lane, begun).count(repaired) == 1
    lane.settle()
    assert [run["state"] for run in lane.runs_of("grading", key)] == ["success"]
    assert set(states(lane, key).values()) == {"done"}


def test_a_batch_that_was_ingested_during_a_pause_is_graded_once_after_it(lane, begun):
    """Pauses of sentiment are in test_batches.py, those of grading above and in tests/scheduler."""
    key = "2021-03-03T06:00:00"
    subject = f"{lane.dag('scoring')} is paused; 1 batch is waiting"
    with lane.paused("scoring"):
        lane.trigger("ingestion", key)
        (waiting,) = wait_for("the run that the pause holds", lambda: lane.runs_of("scoring", key))
        assert waiting["state"] == "queued"
        watch(lane, begun)
        lines = [line for line in watch(lane, begun).splitlines() if subject in line]
        alerts = [line for line in lines if line.startswith("ALERT")]
        assert alerts == [f"ALERT RankAlpha LOOK TODAY: {subject}"]
        assert f"Still open: {subject}" in lines
    lane.settle()
    assert [run["state"] for run in lane.runs_of("grading", key)] == ["success"]
    assert f"Resolved: {subject}" in watch(lane, begun)


def test_a_failed_stage_is_alerted_by_its_task_and_not_again(lane, begun):
    key = "2021-03-04T06:00:00"
    with lane.fault("scorer", "bad data"):
        lane.ingest(key)
    subject = f"{lane.dag('scoring')} failed for batch {key}"
    assert subject in incidents(lane)
    log = watch(lane, begun)
    assert f"Still open: {subject}" in log
    assert not re.search(f"ALERT RankAlpha [A-Z ]+: {subject}", log)
    lane.clear("scoring", lane.run_of("scoring", key), "run_scorer")
    lane.settle()
    assert subject not in incidents(lane)
    assert len(lane.runs_of("grading", key)) == 1


def test_a_failed_run_without_a_key_is_the_same_to_task_health_and_watchdog(lane, begun):
    """It is of the batch that it took; another run of that batch resolves it."""
    key = "2021-03-05T06:00:00"
    lane.ingest(key)
    with lane.fault("scorer", "bad data"):
        run_id = lane.trigger("scoring")
        lane.settle()
    subject = f"{lane.dag('scoring')} failed for batch {key}"
    assert f"ALERT RankAlpha ACT NOW: {subject}" in lane.log("scoring", run_id, "run_scorer")
    assert subject in incidents(lane)
    assert states(lane, key)["scoring"] == "failed"
    assert f"Still open: {subject}" in watch(lane, begun)
    lane.trigger("scoring", key)
    lane.settle()
    assert subject not in incidents(lane)
    assert f"Resolved: {subject}" in watch(lane, begun)


def test_a_failed_run_that_took_no_batch_is_resolved_by_a_later_one(lane, begun):
    with lane.paused("scoring"):
        run_id = lane.trigger("scoring")
        lane.mark_failed("scoring", run_id)  # before it has begun
    (subject,) = [one for one in incidents(lane) if run_id in one]
    assert subject == f"{lane.dag('scoring')} failed (run {run_id}; batch not known)"
    log = watch(lane, begun)
    assert f"ALERT RankAlpha NO ACTION: {subject}" in log, "a person has ended it"
    lane.trigger("scoring")
    lane.settle()
    assert subject not in incidents(lane)
    assert f"Resolved: {subject}" in watch(lane, begun)


def test_only_who_may_trigger_a_dag_may_repair(lane):
    with pytest.raises(AirflowApiError) as refused:
        lane.api.post(f"{OWN_ROUTES}{REPAIR}", {"days": -1})
    assert refused.value.status == 422, "it is only the number that is wrong"
    answer = requests.post(f"{lane.api.url}{OWN_ROUTES}{REPAIR}", json={"days": 1}, timeout=10)
    assert answer.status_code in (401, 403)
