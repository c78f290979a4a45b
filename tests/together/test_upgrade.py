"""Stages without versions: a batch from before an upgrade, and images that take no part beside others."""

import json
import urllib.request
from contextlib import contextmanager

import pytest

from rankalpha.pipeline.market import DEFAULT_MARKET
from tests.unit.rankalpha.support.together import MADE, bytes_of

BEFORE, AFTER = "2025-11-19T06:00:00", "2025-11-20T06:00:00"
CALLS = {"prices": "INGESTION", "scores": "SCORER", "sentiment": "SENTIMENT", "grades": "GRADING"}


def shown(pipeline):
    """The grades that are shown."""
    with urllib.request.urlopen(f"{pipeline.url}/api/v1/grading/grades") as answer:
        return json.load(answer)


@contextmanager
def without_versions(*datasets):
    """What makes these takes no part in versions for a while."""
    with pytest.MonkeyPatch.context() as patch:
        for dataset in datasets:
            patch.setenv(f"AIRFLOW_VAR_{CALLS[dataset]}_VERSIONS", "false")
        yield


@pytest.fixture
def upgraded(together):
    """A pipeline with one graded batch of the old form, and its bytes; versions are made from here on."""
    pipeline = together(DEFAULT_MARKET)
    with without_versions(*CALLS):
        pipeline.batch(BEFORE)
    assert [extra.get("version") for events in pipeline.events.values() for _, extra in events] == [None] * 4
    return pipeline, bytes_of(pipeline.data)


def test_the_next_batch_makes_versions_and_no_byte_of_the_old_one_changes(upgraded):
    pipeline, before = upgraded
    grades = shown(pipeline)
    pipeline.batch(AFTER)
    assert all(pipeline.version(name) for name in MADE if name != "evaluations")
    assert shown(pipeline)["batch"] == AFTER
    after = bytes_of(pipeline.data)
    assert {name: after[name] for name in before if BEFORE in name} == {
        name: content for name, content in before.items() if BEFORE in name
    }
    assert {grade["symbol"] for grade in grades["grades"]} == {
        grade["symbol"] for grade in shown(pipeline)["grades"]
    }


def test_a_stage_of_the_old_batch_runs_again_on_what_it_has(upgraded):
    """Its prices are read where they are; its scores are a version, which grading is given.

    What comes from the prices is not shown: nobody knows whether they still are those that were scored.
    """
    pipeline, before = upgraded
    grades = shown(pipeline)["grades"]
    assert pipeline.run("scores", BEFORE)[0] == "published", pipeline.error
    assert pipeline.version("scores")["inputs"] == {}
    assert pipeline.run("grades", BEFORE)[0] == "published", pipeline.error
    unknown = {"name": None, "sector": None, "close": None, "sparkline": []}
    assert shown(pipeline)["grades"] == [grade | unknown for grade in grades]
    after = bytes_of(pipeline.data)
    assert {name: after[name] for name in before if "/grades/" not in f"/{name}"} == {
        name: content for name, content in before.items() if "/grades/" not in f"/{name}"
    }


@pytest.mark.parametrize("without", ["prices", "prices sentiment", "grades"])
def test_what_takes_no_part_works_beside_what_does(together, without):
    """Sentiment without versions reads the folder of the batch, so that ingestion has to write there."""
    pipeline, without = together(DEFAULT_MARKET), without.split()
    pipeline.batch(BEFORE)
    grades = {grade["symbol"]: grade["grade"] for grade in shown(pipeline)["grades"]}
    with without_versions(*without):
        pipeline.batch(BEFORE)
    newest = {dataset: events[-1][1] for dataset, events in pipeline.events.items() if events}
    assert [dataset for dataset, extra in newest.items() if not extra.get("version")] == without
    assert {grade["symbol"]: grade["grade"] for grade in shown(pipeline)["grades"]} == grades
