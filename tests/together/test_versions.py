"""Published data never change, and nothing else is read or shown: the pipeline with the real services."""

import json
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest

from datasets import GRADES_CONTRACT
from rankalpha.contract import Check
from rankalpha.contract.figures import reported
from rankalpha.pipeline.market import DEFAULT_MARKET, Market
from tests.unit.rankalpha.support.together import MADE, bytes_of

FIRST, SECOND = "2025-11-19T06:00:00", "2025-11-20T06:00:00"


@pytest.fixture(params=[DEFAULT_MARKET])
def pipeline(together, request):
    return together(request.param)


def page(pipeline):
    """The grades that are shown."""
    query = f"?market={pipeline.market.name}" if pipeline.market.folder else ""
    with urllib.request.urlopen(f"{pipeline.url}/api/v1/grading/grades{query}") as answer:
        return json.load(answer)


def published(pipeline):
    """The bytes of all versions that an event has named, and of what they were made from."""
    paths = {
        each["path"]
        for events in pipeline.events.values()
        for _, extra in events
        for each in (extra["version"], *extra["version"]["inputs"].values())
    }
    everything = bytes_of(pipeline.data)
    return {name: content for name, content in everything.items() if name.rpartition("/")[0] in paths}


def record(pipeline):
    """The record that is shown."""
    query = f"?market={pipeline.market.name}" if pipeline.market.folder else ""
    with urllib.request.urlopen(f"{pipeline.url}/api/v1/grading/record{query}") as answer:
        return json.load(answer)


@pytest.mark.parametrize("pipeline", [Market(name="nyse")], indirect=True)
def test_an_evaluation_is_made_of_what_was_graded_and_shown(pipeline):
    (pipeline.profile / "evaluation.env").write_text("EVALUATION_EVERY=252\n")
    for key in (FIRST, SECOND):
        pipeline.batch(key)
        outcome = pipeline.run("evaluations", key, how="events", joined=pipeline.joined("grades"))
        assert outcome[0] == "published", pipeline.error
    assert pipeline.version("evaluations")["inputs"] == {
        name: {key: pipeline.version(name)[key] for key in ("path", "sha256")}
        for name in ("grades", "prices")
    }
    before = record(pipeline)
    assert (before["batch"], before["live"]["gradings"]) == (SECOND, 2)
    assert before["live"]["figures"]["composite"]["1"]["sessions"] == 1
    (path, _) = pipeline.version("evaluations")["earlier"][0].values()
    assert path == pipeline.events["evaluations"][0][1]["version"]["path"]
    assert pipeline.run("evaluations", FIRST, how="off")[0] == "unpublished"
    assert record(pipeline) == before


def test_what_was_published_and_shown_survives_a_blocked_batch_and_trials(pipeline):
    pipeline.batch(FIRST)
    pipeline.batch(SECOND)
    shown, before = page(pipeline), published(pipeline)
    assert shown["batch"] == SECOND
    assert len(before) >= 8
    symbols = sorted(grade["symbol"] for grade in shown["grades"])

    # ingestion again, with fewer symbols than the contract lets through: blocked
    (pipeline.profile / "ingestion.env").write_text(f"INGESTION_SYMBOLS={','.join(symbols[:15])}\n")
    assert pipeline.run("prices", SECOND)[0] == "blocked"
    assert "symbols" in pipeline.error
    # stages by hand read what is published, and not what lies there
    _, output = pipeline.run("scores", SECOND, how="off")
    assert output["result"]["version"]["inputs"]["prices"]["path"] == pipeline.version("prices")["path"]
    assert pipeline.run("grades", SECOND)[0] == "published"
    assert page(pipeline)["grades"] == shown["grades"]

    # a trial of sentiment with other settings, and one that fails
    (pipeline.profile / "sentiment.env").write_text(
        "SENTIMENT_HEADLINES=sample\nSENTIMENT_CONSENSUS_LIMIT=1\n"
    )
    assert pipeline.run("sentiment", SECOND, how="off")[0] == "unpublished"
    assert pipeline.run("grades", SECOND)[0] == "published"
    assert page(pipeline)["grades"] == shown["grades"]
    after = published(pipeline)
    assert {name: after[name] for name in before} == before


@pytest.mark.parametrize("pipeline", [Market(name="nyse")], indirect=True)
def test_grades_that_are_blocked_are_not_shown_when_a_person_marks_their_task_as_a_success(
    pipeline, monkeypatch
):
    pipeline.batch(FIRST)
    shown = page(pipeline)
    checks = (Check(name="rows", figure=reported("rows"), least=1_000),)
    monkeypatch.setitem(MADE, "grades", (*MADE["grades"][:3], replace(GRADES_CONTRACT, checks=checks)))
    for name in ("prices", "scores", "sentiment"):
        assert pipeline.run(name, SECOND)[0] == "published"
    assert pipeline.run("grades", SECOND, marked=True)[0] == "blocked"
    assert page(pipeline) == shown


def test_a_file_that_was_changed_is_noticed_by_the_next_reader(pipeline):
    pipeline.batch(FIRST)
    version = pipeline.version("prices")
    (name,) = [name for name in version["files"] if name.endswith(".parquet")]
    file = pipeline.data / version["path"] / name
    assert file.stat().st_mode & 0o222 == 0
    file.chmod(0o644)
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    assert pipeline.run("scores", FIRST)[0] == "failed"
    assert f"{name}: its SHA-256 is" in pipeline.error


def test_what_each_grade_was_made_from_is_on_record(pipeline):
    pipeline.batch(FIRST)
    first = {name: pipeline.version(name)["path"] for name in ("prices", "scores", "sentiment", "grades")}
    pipeline.run("prices", FIRST)
    assert pipeline.run("grades", FIRST)[0] == "published"
    read = pipeline.version("grades")["inputs"]
    assert {name: read[name]["path"] for name in ("scores", "sentiment", "prices")} == {
        name: first[name] for name in ("scores", "sentiment", "prices")
    }


@pytest.mark.parametrize("pipeline", [Market(name="nyse")], indirect=True)
def test_a_market_has_versions_of_its_own(pipeline):
    pipeline.batch(FIRST)
    assert page(pipeline)["batch"] == FIRST
    assert {path.parts[0] for path in map(Path, bytes_of(pipeline.data))} == {"nyse"}
    assert (pipeline.data / "nyse" / pipeline.version("grades")["path"] / "manifest.json").is_file()
