"""What a step has read, as its output records it."""

import pytest

from rankalpha.lineage.inputs import inputs, recorded, reference, version_of
from rankalpha.pipeline.market import Market
from rankalpha.pipeline.pipelines import Pipeline
from rankalpha.pipeline.training import Training

KEY = "2026-11-22T06:00:00"
SCORING = 1


def version(name):
    return {"path": f"prices/{KEY}/{name}", "sha256": f"{name[-1]}0" * 32}


def event(name, moment, dataset="prices"):
    extra = {"checksum": f"sha256:{name}", "version": {**version(name), "files": {}, "inputs": {}}}
    return {"name": dataset, "timestamp": moment, "partition_key": KEY, "extra": extra}


def read(made_from, events, market="default"):
    of_market = Market(name=market)
    step = Pipeline.of(of_market).steps[SCORING]
    made = {**version("scorer-1-1"), "files": {}, "inputs": {"prices": made_from} if made_from else {}}
    return recorded({"version": made}, step, {f"{of_market.prefix}prices": events})


def test_an_input_is_the_version_that_was_read_and_not_the_newest():
    events = [event("ingestion-1", "2026-11-22T06:01"), event("ingestion-2", "2026-11-22T06:02")]
    assert read(version("ingestion-1"), events) == [
        {
            "dataset": "prices",
            "batch": KEY,
            "published": "2026-11-22T06:01",
            "checksum": "sha256:ingestion-1",
            "version": version("ingestion-1"),
        }
    ]


def test_of_two_events_with_the_same_version_the_newer_is_named():
    events = [event("ingestion-1", "2026-11-22T06:01"), event("ingestion-1", "2026-11-22T06:02")]
    assert read(version("ingestion-1"), events)[0]["published"] == "2026-11-22T06:02"


@pytest.mark.parametrize("events", [[], [event("ingestion-2", "2026-11-22T06:02")]])
def test_an_input_whose_event_is_gone_keeps_its_version_and_batch(events):
    (found,) = read(version("ingestion-1"), events)
    assert (found["batch"], found["published"], found["version"]) == (KEY, None, version("ingestion-1"))


def test_other_bytes_under_the_same_name_are_not_what_was_read():
    other = {**version("ingestion-1"), "sha256": "ff" * 32}
    (found,) = read(other, [event("ingestion-1", "2026-11-22T06:01")])
    assert (found["published"], found["version"]) == (None, other)


def test_a_market_has_its_own_datasets():
    events = [event("ingestion-1", "2026-11-22T06:01", "nyse_prices")]
    assert read(version("ingestion-1"), events, "nyse")[0]["dataset"] == "nyse_prices"


def test_a_model_of_another_batch_is_named_beside_the_prices():
    made = {"path": "models/2026-11-15T06:00:00/trainer-1-1", "sha256": "30" * 32}
    scored = {
        **version("scorer-1-1"),
        "files": {},
        "inputs": {"prices": version("ingestion-1"), "models": made},
    }
    (step,) = [
        step for step in Pipeline.of(Market(name="nyse", training=Training())).steps if step.name == "scoring"
    ]
    own = {"name": "nyse_scores", "timestamp": "2026-11-22T06:03", "partition_key": KEY}
    events = {"nyse_prices": [event("ingestion-1", "2026-11-22T06:01", "nyse_prices")], "nyse_models": []}
    events["nyse_scores"] = [{**own, "extra": {"version": scored}}]
    found = inputs(None, step, None, events, events)
    assert [(each["dataset"], each["batch"]) for each in found] == [
        ("nyse_prices", KEY),
        ("nyse_models", "2026-11-15T06:00:00"),
    ]


def test_without_a_record_nothing_is_said():
    assert read(None, []) == []
    assert recorded({}, Pipeline.of(Market()).steps[SCORING], {"prices": []}) == []


class Consumed:
    """Airflow's API as far as the events of a run are asked for."""

    def __init__(self, *events):
        self.events = events

    def get(self, path):
        assert path.endswith("/upstreamAssetEvents")
        return {"asset_events": list(self.events)}


def test_an_input_without_a_record_is_that_of_the_run_and_the_other_is_not():
    """As with a sentiment image that knows nothing of versions."""
    step = Pipeline.of(Market()).graded
    made = {**version("grading-1-1"), "files": {}, "inputs": {"scores": version("scorer-1")}}
    grades = {**event("x", "2026-11-22T06:09", "grades"), "extra": {"version": made}}
    scores = [
        event("scorer-1", "2026-11-22T06:01", "scores"),
        event("scorer-2", "2026-11-22T06:02", "scores"),
    ]
    sentiment = {**event("x", "2026-11-22T06:03", "sentiment"), "extra": {}}
    events = {"grades": [grades], "scores": scores, "sentiment": [sentiment]}
    run = {"dag_run_id": "r", "start_date": "2026-11-22T06:08"}
    found = inputs(Consumed(scores[1], sentiment), step, run, events, events)
    assert [(each["dataset"], each["version"]) for each in found] == [
        ("scores", version("scorer-1")),
        ("sentiment", None),
    ]


POSTED = [  # by a person, who may post any JSON
    "1.2",
    ["prices"],
    {},
    {"path": None, "sha256": 1},
    {**version("scorer-1-1"), "inputs": ["prices"]},
    {**version("scorer-1-1"), "inputs": "prices"},
    {**version("scorer-1-1"), "inputs": {"prices": "ingestion-1-1"}},
    {**version("scorer-1-1"), "inputs": {"prices": {}}},
]


@pytest.mark.parametrize("posted", POSTED)
def test_a_version_that_a_person_has_posted_breaks_nothing(posted):
    step = Pipeline.of(Market()).steps[SCORING]
    found = recorded({"version": posted}, step, {"prices": [event("ingestion-1", "2026-11-22T06:01")]})
    assert all(each["published"] is None for each in found)
    if named := version_of({"version": posted}):
        assert reference(named).keys() == {"path", "sha256"}
