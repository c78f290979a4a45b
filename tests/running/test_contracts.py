"""Contracts in a running Airflow: what is blocked, what is only told, and what a batch is compared with."""

import json
import re

from blocking import REASON, anyway, broken_checks, ingest, published, run_of

from rankalpha.pipeline import DEFAULT_PIPELINE
from rankalpha.publish_anyway import publish_anyway
from tests.support.services import FRONTEND, GRADING


def test_a_warning_is_published_and_told(stack, services):
    key = "2023-08-03T06:00:00"
    result = {"rows": 10, "symbols": 10, "details": {"without_headlines": 6}}
    with stack.fault("sentiment", json.dumps(result)):
        ingest(stack, key)
    (event,) = published(stack, "sentiment", key)
    assert broken_checks(event["extra"]["checks"]) == {"many symbols without headlines": "warn"}
    assert "forced" not in event["extra"]
    log = stack.log("rankalpha_sentiment", run_of(stack, "rankalpha_sentiment", key), "publish_sentiment")
    assert re.search("many symbols without headlines +60 +at most 50 % +WARNING", log)
    assert key in services.asked(GRADING)


def test_a_batch_is_compared_with_the_one_published_before(stack, services):
    large, small = "2023-08-04T06:00:00", "2023-08-05T06:00:00"
    with stack.fault("ingestion", '{"rows": 100}'):
        ingest(stack, large)
    assert published(stack, "prices", large), "growth of rows is no fault"
    ingest(stack, small)
    run_id = run_of(stack, "rankalpha_ingestion", small)
    log = stack.log("rankalpha_ingestion", run_id, "publish_prices")
    assert "change of rows is -99, at least -20 % expected" in log
    publish_anyway(stack.api, DEFAULT_PIPELINE, small, "prices", REASON, "ann")
    stack.settle()
    (event,) = published(stack, "prices", small)
    assert event["extra"]["forced"] == {"by": "ann", "reason": REASON}
    assert small in services.asked(GRADING)
    ingest(stack, "2023-08-06T06:00:00")
    assert published(stack, "prices", "2023-08-06T06:00:00"), "what a person let through is the measure now"


def test_grades_that_do_not_add_up_are_blocked_and_the_frontend_is_not_told(stack, services):
    key = "2023-08-07T06:00:00"
    answer = {"batch": key, "graded": 3, "as_of": key[:10], "distribution": {"A": 1, "B": 1, "F": 2}}
    services.broken[GRADING] = (200, json.dumps(answer))
    try:
        ingest(stack, key)
    finally:
        del services.broken[GRADING]
    log = stack.log("rankalpha_grading", run_of(stack, "rankalpha_grading", key), "publish_grades")
    assert "grades beyond the rows is 1, exactly 0 expected" in log
    assert key not in services.asked(FRONTEND)
    assert anyway(stack, "--batch", key, "--dataset", "grades", "--reason", REASON).returncode == 0
    assert services.asked(FRONTEND).count(key) == 1
    assert services.asked(GRADING).count(key) == 1


def test_the_datasets_view_shows_the_contract(stack):
    (asset,) = stack.api.get("assets", name_pattern="scores", limit=1)["assets"]
    assert asset["extra"]["owner"] == "rankalpha"
    assert asset["extra"]["checks"]["symbols not scored"] == "at most 50 % (block)"
