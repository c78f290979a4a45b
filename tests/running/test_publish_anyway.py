"""A blocked batch in a running Airflow: kept, published anyway by a person, once and on record."""

import re

import pytest

from rankalpha.commands.publish_anyway import publish_anyway
from rankalpha.commands.refusals import Refused
from rankalpha.pipeline.pipelines import STEPS
from tests.running.blocking import REASON, anyway, broken_checks, xcom
from tests.support.services import FRONTEND, GRADING

pytestmark = pytest.mark.story
GOOD, BAD = "2023-08-01T06:00:00", "2023-08-02T06:00:00"


@pytest.fixture(scope="module")
def blocked(lane):
    """A good batch, and the run of scoring that has left the next batch's scores empty."""
    lane.ingest(GOOD)
    with lane.fault("scorer", '{"rows": 0, "symbols": 0}'):
        lane.ingest(BAD)
    return lane.run_of("scoring", BAD)


def test_a_blocked_batch_is_kept_and_downstream_has_the_last_good_one(lane, blocked):
    log = lane.log("scoring", blocked, "publish_scores")
    assert re.search(" rows +0 +at least 1 +BLOCKS", f" {log}".replace('"', " "))
    message = f"Error: batch {BAD} is not published in {lane.asset('scores')}: Rows is 0; expected at least 1"
    assert f"{message}. Symbols is 0" in log, "the alert names the checks"
    assert f"Task failed: batch {BAD} is not published" in log
    assert "error_detail" not in log, "a traceback leads to where a batch is blocked, and not to why"
    assert lane.events("scores")[-1]["partition_key"] == GOOD
    assert lane.runs_of("grading", BAD) == []
    kept = xcom(lane, "scoring", blocked, "publish_scores", "quarantine")
    assert (kept["batch"], kept["result"]["rows"]) == (BAD, 0)
    # the one of symbols against the batch before is there too: the stack remembers what it has published
    expected = ["rows", "symbols", "change of symbols"]
    assert broken_checks(kept["checks"]) == dict.fromkeys(expected, "block")


def test_it_is_blocked_again_when_it_is_cleared(lane, blocked):
    lane.clear("scoring", blocked, "publish_scores")
    lane.settle()
    task = lane.tasks("scoring", blocked)["publish_scores"]
    assert (task["state"], task["try_number"]) == ("failed", 2)
    assert lane.published("scores", BAD) == []


def assert_refused(lane, match, batch=BAD, dataset="scores", reason=REASON):
    """It is refused, and no task is touched."""
    with pytest.raises(Refused, match=re.escape(match)):
        publish_anyway(lane.api, lane.pipeline, batch, dataset, reason)
    assert [lane.runs(step.name, state=["queued", "running"]) for step in STEPS] == [[]] * len(STEPS)


@pytest.mark.parametrize(
    ("batch", "dataset", "reason", "message"),
    [
        ("yesterday", "scores", REASON, "'yesterday' is not a batch key"),
        ("2023-08-03T06:00:00", "scores", REASON, "batch 2023-08-03T06:00:00 is not blocked"),
        (GOOD, "scores", REASON, f"batch {GOOD} is not blocked"),
        (BAD, "prices", REASON, f"batch {BAD} is not blocked"),
        (
            BAD,
            "stocks",
            REASON,
            "there is no dataset 'stocks'; there are prices, scores",
        ),
        (BAD, "scores", " ", "the reason is missing"),
        (BAD, "scores", "a\0b", "the reason holds the character U+0000 (NUL)"),
        (BAD, "scores", "x" * 501, "the reason has 501 characters, of 500 at most"),
    ],
)
def test_nonsense_is_refused_and_changes_nothing(lane, blocked, batch, dataset, reason, message):
    assert_refused(lane, message, batch, dataset, reason)
    assert lane.tasks("scoring", blocked)["publish_scores"]["state"] == "failed"


def test_a_paused_dag_is_refused(lane, blocked):
    with lane.paused("scoring"):
        assert_refused(lane, f"{lane.dag('scoring')} is paused")


def test_the_command_asks_for_a_reason_and_says_why_it_refuses(lane, blocked):
    done = anyway(lane, "--batch", BAD, "--dataset", "scores")
    assert (done.returncode, "--reason" in done.stdout) == (2, True)
    done = anyway(lane, "--batch", BAD, "--dataset", "scores", "--reason", "\udce9")
    assert (done.returncode, "the reason holds U+DCE9, which is half" in done.stdout) == (2, True)
    done = anyway(lane, "--batch", BAD, "--dataset", "stocks", "--reason", REASON)
    assert (done.returncode, "error: there is no dataset 'stocks'" in done.stdout) == (2, True)


def test_a_person_publishes_it_once_on_record_and_downstream_runs(lane, blocked):
    done = anyway(lane, "--batch", BAD, "--dataset", "scores", "--reason", REASON)
    assert done.returncode == 0, done.stdout
    assert f"{lane.dag('grading')} starts by itself" in done.stdout
    (event,) = lane.published("scores", BAD)
    assert event["extra"]["forced"] == {"by": "rankalpha", "reason": REASON}
    assert event["extra"]["rows"] == 0
    assert broken_checks(event["extra"]["checks"])["rows"] == "block"
    assert f"by rankalpha: {REASON}" in lane.log("scoring", blocked, "publish_scores", 3)
    assert [call for call in lane.services.calls if call[1] == BAD] == [(GRADING, BAD), (FRONTEND, BAD)]
    entries = lane.api.get("eventLogs", dag_id=lane.dag("scoring"), run_id=blocked, order_by="-when")[
        "event_logs"
    ]
    assert ("create_xcom_entry", "rankalpha") in {(one["event"], one["owner"]) for one in entries}


def test_afterwards_it_is_not_blocked_any_more(lane, blocked):
    assert_refused(lane, f"batch {BAD} is not blocked in {lane.asset('scores')}")


def test_the_word_holds_for_no_later_try_and_can_be_given_again(lane, blocked):
    lane.clear("scoring", blocked, "publish_scores")
    lane.settle()
    assert lane.tasks("scoring", blocked)["publish_scores"]["state"] == "failed"
    assert len(lane.published("scores", BAD)) == 1
    done = anyway(lane, "--batch", BAD, "--dataset", "scores", "--reason", "it still was")
    assert done.returncode == 0, done.stdout
    assert lane.published("scores", BAD)[-1]["extra"]["forced"]["reason"] == "it still was"


def test_a_word_is_gone_when_its_stage_runs_again(lane, blocked):
    with lane.fault("scorer", '{"rows": 0}'):
        lane.clear("scoring", blocked, "run_scorer")
        lane.settle()
    assert lane.tasks("scoring", blocked)["publish_scores"]["state"] == "failed"
    path = f"dags/{lane.dag('scoring')}/dagRuns/{blocked}/taskInstances/run_scorer/xcomEntries"
    assert "publish_anyway" not in {one["key"] for one in lane.api.get(path)["xcom_entries"]}


def test_a_batch_that_was_made_again_since_is_refused(lane, blocked):
    run_id = lane.trigger("scoring", BAD)
    lane.settle()
    assert_refused(lane, f"has made batch {BAD} again since it was blocked: run {run_id}")


def test_a_run_without_a_key_is_found_by_its_batch(lane):
    with lane.fault("scorer", '{"rows": 0}'):
        run_id = lane.trigger("scoring")
        lane.settle()
    batch = xcom(lane, "scoring", run_id, "publish_scores", "quarantine")["batch"]
    before = len(lane.published("scores", batch))
    assert anyway(lane, "--batch", batch, "--dataset", "scores", "--reason", REASON).returncode == 0
    assert len(lane.published("scores", batch)) == before + 1


def test_a_run_that_was_told_to_publish_nothing_is_refused(lane):
    with lane.fault("scorer", '{"rows": 0}'):
        body = {"logical_date": None, "partition_key": GOOD, "conf": {"publish": False}}
        run = lane.api.post(f"dags/{lane.dag('scoring')}/dagRuns", body)
        lane.settle()
    assert_refused(lane, f"run {run['dag_run_id']} was started with publishing off", GOOD)
