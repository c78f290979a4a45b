"""How fresh the datasets are, and which session the newest grades are of, on given days of 2026."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rankalpha.airflow_api import AirflowApi
from rankalpha.health.batch_overview import overview_of
from rankalpha.health.freshness import datasets, session
from rankalpha.health.snapshot import Snapshot
from rankalpha.health.standing import FRONTEND, Batch, Standing
from rankalpha.pipeline.market import Market
from rankalpha.pipeline.pipelines import DEFAULT_PIPELINE, STEPS, Pipeline

EXTRA = {"owner": "o", "description": "d", "fresh for hours": 26.0}
ASSETS = {step.writes: {"id": 1, "extra": EXTRA} for step in STEPS}
SATURDAY, SUNDAY = "2026-11-28T06:00:00", "2026-11-29T06:00:00"
NOBODY = AirflowApi("http://127.0.0.1:9", "", "")  # nothing is asked for
FRIDAY = {"session": "2026-11-27", "sessions_behind": 0, "next_close": "2026-11-30T21:00:00+00:00"}


def at(text):
    return datetime.fromisoformat(f"{text}+00:00")


def batch(key, carried=None, **details):
    """A batch that was graded ten minutes after its key, of Friday's session."""
    published = at(key) + timedelta(minutes=10)
    prices = {"as_of": "2026-11-27", "details": {**FRIDAY, **details}}
    steps = {step.name: Standing("done", published, "r", published=published) for step in STEPS}
    steps["ingestion"] = replace(steps["ingestion"], extra=prices)
    steps["grading"] = replace(steps["grading"], extra={"carried_over_from": carried} if carried else {})
    return Batch(key, at(key), {**steps, FRONTEND: Standing("done", published)})


def seen(now, *batches):
    return Snapshot(DEFAULT_PIPELINE, at(now), batches, [], at(now), at(now), at(now), {}, assets=ASSETS)


def stale(snapshot):
    return {each["name"] for each in datasets(NOBODY, snapshot) if each["stale"]}


def test_over_a_weekend_nothing_is_stale_and_a_day_after_mondays_close_all_is():
    """Without another batch; that none came is an incident of its own."""
    friday = batch(SATURDAY)
    assert stale(seen("2026-11-30T12:00:00", friday)) == set()
    assert stale(seen("2026-12-01T22:59:00", friday)) == set()
    assert len(stale(seen("2026-12-01T23:01:00", friday))) == 5


def test_who_pauses_the_evaluation_does_without_it():
    late = seen("2026-12-01T23:01:00", batch(SATURDAY))
    without = replace(late, paused=["rankalpha_evaluation"])
    assert stale(late) - stale(without) == {"evaluations"}
    assert len(stale(replace(late, paused=["rankalpha_scoring"]))) == 5


def test_without_a_calendar_and_with_a_source_that_lags_the_age_counts():
    now = "2026-11-29T08:30:00"  # 26 hours after the batch of Saturday
    for details in ({"session": None}, {"sessions_behind": 1}):
        assert len(stale(seen(now, batch(SATURDAY, **details)))) == 5


def test_without_a_calendar_a_schedule_that_rests_at_the_weekend_is_not_late():
    pipeline = Pipeline.of(Market(calendar="", schedule="0 6 * * 1-5"))
    friday = batch("2026-11-27T06:00:00", session=None)
    snapshots = {
        now: replace(seen(now, friday), pipeline=pipeline)
        for now in ("2026-11-29T12:00:00", "2026-11-30T07:30:00", "2026-11-30T08:30:00")
    }
    assert [len(stale(each)) for each in snapshots.values()] == [0, 0, 5]


def test_a_batch_that_is_graded_late_is_fresh_for_as_long():
    late = batch("2026-12-01T06:00:00", next_close="2026-11-30T21:00:00+00:00")
    assert stale(seen("2026-12-02T08:00:00", late)) == set()
    assert len(stale(seen("2026-12-02T08:30:00", late))) == 5


@pytest.mark.parametrize(
    ("now", "current", "behind"), [("2026-11-29T06:30:00", True, 0), ("2026-11-30T22:00:00", False, 1)]
)
def test_the_newest_grades_are_current_until_the_next_close(now, current, behind):
    found = session(seen(now, batch(SUNDAY, SATURDAY), batch(SATURDAY)))
    assert (found["batch"], found["current"], found["behind"]) == (SUNDAY, current, behind)
    assert found["news"] == "no new session; grades of Sat 28 Nov 06:00 carried over"
    assert found["text"].startswith("Friday's close, 27 Nov, ")


@pytest.mark.parametrize(
    ("now", "standing"),
    [("2026-11-29T06:30:00", "current"), ("2026-11-30T22:00:00", "at least 1 session behind")],
)
def test_each_dataset_is_said_to_be_of_a_session_and_whether_that_is_the_newest(now, standing):
    found = {each["session"]["text"] for each in datasets(NOBODY, seen(now, batch(SATURDAY)))}
    assert found == {f"Friday's close, 27 Nov, {standing}"}


def test_a_batch_that_is_not_graded_yet_does_not_count():
    under_way = batch("2026-12-01T06:00:00")
    steps = {**under_way.steps, "grading": Standing("running")}
    found = session(seen("2026-12-01T06:01:00", replace(under_way, steps=steps), batch(SUNDAY)))
    assert (found["batch"], found["current"]) == (SUNDAY, False)
    assert session(seen("2026-12-01T06:01:00", replace(under_way, steps=steps))) is None


def test_without_a_calendar_nobody_says_whether_grades_are_current():
    found = session(seen("2026-11-29T06:30:00", batch(SATURDAY, session=None)))
    assert (found["current"], found["text"]) == (None, "Friday's close, 27 Nov")


@pytest.mark.parametrize("carried", [None, SUNDAY, "yesterday", 5])
def test_only_another_batch_is_one_to_carry_over_from(carried):
    found = overview_of(DEFAULT_PIPELINE, batch(SUNDAY, carried), datetime(2026, 11, 29, tzinfo=UTC))
    assert (found["carried_over_from"], found["news"]) == (None, "")


def test_each_step_names_those_that_it_comes_after():
    found = overview_of(DEFAULT_PIPELINE, batch(SUNDAY), at("2026-11-29T08:00:00"))
    assert {step["step"]: step["needs"] for step in found["steps"]} == {
        "ingestion": [],
        "scoring": ["ingestion"],
        "sentiment": ["ingestion"],
        "grading": ["scoring", "sentiment"],
        "evaluation": ["grading"],
        "frontend": ["grading"],
    }
    assert [step["step"] for step in found["steps"] if step["optional"]] == ["evaluation"]
