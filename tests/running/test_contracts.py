"""Contracts in a running Airflow: what is blocked, what is only told, and what a batch is compared with."""

import json
import re

from rankalpha.commands.publish_anyway import publish_anyway
from rankalpha.stages.storable import MAX_DEPTH
from tests.running.blocking import REASON, anyway, broken_checks
from tests.support.services import FRONTEND, GRADING


def test_a_warning_is_published_and_told(lane):
    key = "2023-08-03T06:00:00"
    result = {"rows": 10, "symbols": 10, "details": {"without_headlines": 6}}
    with lane.fault("sentiment", json.dumps(result)):
        lane.ingest(key)
    (event,) = lane.published("sentiment", key)
    assert broken_checks(event["extra"]["checks"]) == {"many symbols without headlines": "warn"}
    assert "forced" not in event["extra"]
    log = lane.log("sentiment", lane.run_of("sentiment", key), "run_ai_analysis")
    assert re.search("many symbols without headlines +60 +at most 50 % +WARNING", log)
    assert key in lane.services.asked(GRADING)


def test_what_a_result_may_hold_is_stored_as_it_is(lane):
    """The bounds of rankalpha/stages/storable.py are within what Airflow and PostgreSQL can store."""
    key = "2023-08-02T06:00:00"
    deepest = {}
    for _ in range(MAX_DEPTH - 3):  # within the result, more and deep
        deepest = {"a": deepest}
    more = {"deep": deepest, "large": [2**63 - 1, -(2**63), 9e18], "odd": "\x01\x7f\ufffe 🚀", "": None}
    with lane.fault("ingestion", json.dumps({"more": more})):
        lane.ingest(key)
    (event,) = lane.published("prices", key)
    assert event["extra"]["more"] == more
    assert key in lane.services.asked(GRADING)


def test_a_batch_is_compared_with_the_one_published_before(lane):
    large, small, later = "2023-08-04T06:00:00", "2023-08-05T06:00:00", "2023-08-06T06:00:00"
    with lane.fault("ingestion", '{"rows": 100}'):
        lane.ingest(large)
    assert lane.published("prices", large), "growth of rows is no fault"
    run_id = lane.ingest(small)
    log = lane.log("ingestion", run_id, "publish_prices")
    assert "Change of rows is -99 %; expected at least -20 %" in log
    publish_anyway(lane.api, lane.pipeline, small, "prices", REASON)
    lane.settle()
    (event,) = lane.published("prices", small)
    assert event["extra"]["forced"] == {"by": "rankalpha", "reason": REASON}
    assert small in lane.services.asked(GRADING)
    lane.ingest(later)
    assert lane.published("prices", later), "what a person let through is the measure now"


def test_grades_that_do_not_add_up_are_blocked_and_the_frontend_is_not_told(lane):
    key = "2023-08-07T06:00:00"
    answer = {"batch": key, "market": lane.market.name, "graded": 3, "as_of": key[:10]}
    answer["distribution"] = {"A": 1, "B": 1, "F": 2}
    with lane.services.answering(GRADING, json.dumps(answer)):
        lane.ingest(key)
    log = lane.log("grading", lane.run_of("grading", key), "publish_grades")
    assert "Grades beyond the rows is 1; expected exactly 0" in log
    assert key not in lane.services.asked(FRONTEND)
    assert anyway(lane, "--batch", key, "--dataset", "grades", "--reason", REASON).returncode == 0
    assert lane.services.asked(FRONTEND).count(key) == 1
    assert lane.services.asked(GRADING).count(key) == 1


def test_the_datasets_view_shows_the_contract(lane):
    (asset,) = lane.api.get("assets", name_pattern=lane.asset("scores"), limit=1)["assets"]
    assert list(asset["extra"])[:3] == ["description", "owner", "fresh for hours"]
    assert "details" not in asset["extra"], "it would push the events out of sight"
    assert asset["extra"]["checks"]["symbols not scored"] == "at most 50 % (block)"
