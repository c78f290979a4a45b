"""Where a batch stands, concluded from runs and events as the public API gives them."""

from datetime import UTC, datetime, timedelta

import pytest

from rankalpha.health.batch_overview import overview_of
from rankalpha.health.records import Records, batch_of
from rankalpha.health.standing import FRONTEND
from rankalpha.pipeline.market import Market
from rankalpha.pipeline.pipelines import DEFAULT_PIPELINE, STEPS, Pipeline

KEY = "2026-11-22T06:00:00"
START = datetime(2026, 11, 22, 6, tzinfo=UTC)
DAGS = {step.name: step.dag_id for step in STEPS}
DATASETS = {step.name: step.writes for step in STEPS}


def at(minute):
    return (START + timedelta(minutes=minute)).isoformat()


def run(state, queued, started=None, ended=None, run_id="r", run_type="asset_triggered"):
    return {
        "dag_run_id": run_id,
        "run_type": run_type,
        "state": state,
        "queued_at": at(queued),
        "start_date": at(started) if started is not None else None,
        "end_date": at(ended) if ended is not None else None,
    }


def event(minute, run_id="r"):
    return {"timestamp": at(minute), "source_run_id": run_id}


def records(runs=None, events=None, superseded=None, following=None):
    """The records of a batch, with the names of steps."""
    return Records(
        {DAGS[name]: found for name, found in (runs or {}).items()},
        {DATASETS[name]: found for name, found in (events or {}).items()},
        *(
            {DAGS[name]: START + timedelta(minutes=minute) for name, minute in (moments or {}).items()}
            for moments in (superseded, following)
        ),
    )


def states(what, paused=(), draining=()):
    held = ([DAGS[name] for name in names] for names in (paused, draining))
    batch = batch_of(DEFAULT_PIPELINE, KEY, what, *held)
    return {name: one.state for name, one in batch.steps.items()}


INGESTED = {"ingestion": [run("success", 0, 0, 2, run_type="scheduled")]}
OK = run("success", 2, 2, 4)
GRADED = {
    "runs": {**INGESTED, "scoring": [OK], "sentiment": [OK], "grading": [run("success", 4, 4, 6)]}
    | {"evaluation": [run("success", 5, 5, 7)]},
    "events": {
        "ingestion": [event(2)],
        "scoring": [event(3)],
        "sentiment": [event(4)],
        "grading": [event(5)],
        "evaluation": [event(6)],
    },
}


def test_a_graded_batch_is_settled():
    batch = batch_of(DEFAULT_PIPELINE, KEY, records(**GRADED), [])
    assert {one.state for one in batch.steps.values()} == {"done"}
    assert batch.settled
    assert batch.where == "graded"
    assert batch.begun == START


@pytest.mark.parametrize(
    ("runs", "events", "state", "where"),
    [
        ([], [], "lost", "graded, evaluation lost since 06:05"),
        ([run("running", 5, 6)], [], "running", "graded, evaluation running since 06:06"),
        ([run("failed", 5, 5, 7)], [], "failed", "graded, evaluation failed since 06:07"),
        # published, and a task after that has failed
        ([run("failed", 5, 5, 7)], [event(6)], "failed", "graded, evaluation failed since 06:07"),
    ],
)
def test_a_batch_without_an_evaluation_is_graded(runs, events, state, where):
    what = records({**GRADED["runs"], "evaluation": runs}, {**GRADED["events"], "evaluation": events})
    batch = batch_of(DEFAULT_PIPELINE, KEY, what, [])
    assert batch.settled
    assert (batch.steps["evaluation"].state, batch.where) == (state, where)


@pytest.mark.parametrize(
    ("since", "state", "where"),
    [(4, "lost", "graded, evaluation lost since 06:05"), (90, "skipped", "graded")],
)
def test_what_was_published_before_there_was_an_evaluation_is_not_lost(since, state, where):
    """As before an upgrade."""
    runs, events = ({**GRADED[kind]} for kind in ("runs", "events"))
    del runs["evaluation"], events["evaluation"]
    batch = batch_of(DEFAULT_PIPELINE, KEY, records(runs, events, following={"evaluation": since}), [])
    assert (batch.steps["evaluation"].state, batch.where) == (state, where)
    assert batch.settled


def test_a_step_that_batches_wait_for_misses_what_was_published_before_it_was_parsed():
    what = records(INGESTED, {"ingestion": [event(2)]}, following={"scoring": 90})
    assert states(what)["scoring"] == "lost"


def test_each_step_waits_for_those_before_it():
    assert states(records({"ingestion": [run("running", 0, 0)]})) == {
        "ingestion": "running",
        "scoring": "waiting",
        "sentiment": "waiting",
        "grading": "waiting",
        "evaluation": "waiting",
        FRONTEND: "waiting",
    }


@pytest.mark.parametrize(
    ("scoring", "paused", "state"),
    [
        (run("running", 2, 2), (), "running"),
        (run("queued", 2), (), "queued"),
        (run("queued", 2), ("scoring",), "paused"),
        (run("failed", 2, 2, 3), (), "failed"),
        (run("success", 2, 2, 3), (), "unpublished"),
        (run("failed", 0, 0, 1), (), "lost"),  # of before the prices were published again
        (None, ("scoring",), "paused"),
        (None, (), "lost"),
    ],
)
def test_a_step_that_has_all_it_needs(scoring, paused, state):
    runs = {**INGESTED, "scoring": [scoring] if scoring else []}
    found = states(records(runs, {"ingestion": [event(2)]}), paused)
    assert (found["scoring"], found["grading"]) == (state, "waiting")


def test_a_batch_that_was_left_out_after_a_pause_is_settled():
    what = records(INGESTED, {"ingestion": [event(2)], "sentiment": [event(4)]}, {"scoring": 3})
    assert states(what)["scoring"] == "superseded"
    assert batch_of(DEFAULT_PIPELINE, KEY, what, []).settled


def test_a_batch_that_was_ingested_again_is_on_its_way_again():
    events = {**GRADED["events"], "ingestion": [event(2), event(10)]}
    runs = {**GRADED["runs"], "scoring": [OK, run("queued", 10)], "sentiment": [OK, run("running", 10, 10)]}
    found = states(records(runs, events))
    assert (found["scoring"], found["sentiment"], found["grading"]) == ("queued", "running", "done")


def test_halves_that_are_newer_than_the_grades_and_in_nobodys_hands_are_lost():
    events = {**GRADED["events"], "scoring": [event(3), event(12)]}
    assert states(records(GRADED["runs"], events))["grading"] == "lost"


@pytest.mark.parametrize(("scoring", "state"), [(run("queued", 2), "queued"), (None, "paused")])
def test_a_draining_dag_ends_the_runs_that_it_has_and_begins_no_other(scoring, state):
    runs = {**INGESTED, **({"scoring": [scoring]} if scoring else {})}
    assert states(records(runs, {"ingestion": [event(2)]}), draining=["scoring"])["scoring"] == state


@pytest.mark.parametrize("paused", [(), ("grading",)], ids=["", "paused"])
def test_a_half_that_is_older_than_what_it_is_made_of_is_waited_for(paused):
    """The batch was ingested again, and only one half has followed."""
    newer = {"ingestion": [event(2), event(10)], "sentiment": [event(4), event(12, "again")]}
    sentiment = run("success", 10, 10, 12, run_id="again")
    scoring = run("failed", 10, 10, 11, run_id="again")
    runs = {**GRADED["runs"], "scoring": [OK, scoring], "sentiment": [OK, sentiment]}
    found = states(records(runs, {**GRADED["events"], **newer}), paused)
    assert (found["scoring"], found["grading"]) == ("failed", "waiting")


def test_a_half_whose_run_began_before_the_newer_prices_is_waited_for():
    events = {**GRADED["events"], "ingestion": [event(2), event(2.5)], "sentiment": [event(4), event(12)]}
    runs = {**GRADED["runs"], "sentiment": [run("success", 10, 10, 12)]}
    assert states(records(runs, events))["grading"] == "waiting"


def test_a_frontend_that_was_not_notified_is_not_a_failed_grading():
    runs = {**GRADED["runs"], "grading": [run("failed", 4, 4, 6)]}
    batch = batch_of(DEFAULT_PIPELINE, KEY, records(runs, GRADED["events"]), [])
    assert (batch.steps["grading"].state, batch.steps[FRONTEND].state) == ("done", "failed")
    assert not batch.settled
    assert batch.where == "frontend failed since 06:06"


def test_a_failed_repeat_is_reported_until_something_newer_is_published():
    again = run("failed", 20, 20, 21, run_id="again", run_type="manual")
    runs = {**GRADED["runs"], "scoring": [OK, again]}
    assert states(records(runs, GRADED["events"]))["scoring"] == "failed"
    events = {**GRADED["events"], "scoring": [event(3), event(30)]}
    assert states(records(runs, events))["scoring"] == "done"


def test_a_run_that_was_marked_before_it_ran_has_no_moments_and_crashes_nothing():
    """A person has marked a queued run as failed; what was published before still counts."""
    never = run("failed", 20, run_id="never", run_type="manual")
    runs = {**GRADED["runs"], "scoring": [OK, never]}
    assert states(records(runs, GRADED["events"]))["scoring"] == "failed"
    events = {**GRADED["events"], "scoring": [event(30)]}
    assert states(records(runs, events))["scoring"] == "done"


def test_the_deadline_begins_again_with_a_repeat_by_hand():
    again = run("running", 500, 500, run_id="again", run_type="manual")
    batch = batch_of(
        DEFAULT_PIPELINE, KEY, records({**GRADED["runs"], "scoring": [OK, again]}, GRADED["events"]), []
    )
    assert batch.begun == START + timedelta(minutes=500)


def test_what_a_run_without_a_key_has_published_counts():
    events = {**GRADED["events"], "grading": [event(5, run_id="by hand")]}
    assert states(records({**GRADED["runs"], "grading": []}, events))["grading"] == "done"


def test_a_batch_is_graded_whatever_becomes_of_its_challenger():
    pipeline = Pipeline.of(Market(variants={"rival": {"images": {"scorer": "rankalpha_scorer:2"}}}))
    graded = records(**GRADED)
    failed = {"rankalpha_rival_scoring": [run("failed", 2, 2, 4)]}
    batch = batch_of(pipeline, KEY, Records({**graded.runs, **failed}, graded.events), [])
    assert batch.settled
    assert batch.where == "graded, rival_scoring failed since 06:04"
    assert [name for name, step in batch.steps.items() if step.optional] == [
        "evaluation",
        "rival_scoring",
        "rival_grading",
        "rival_comparison",
    ]
    whole = overview_of(pipeline, batch, START)["steps"]
    rival = {step["step"]: step for step in whole if step["step"].startswith("rival")}
    assert rival["rival_grading"]["needs"] == ["rival_scoring", "sentiment"]
    assert {step["dataset"] for step in rival.values()} == {
        "rival_scores",
        "rival_grades",
        "rival_comparisons",
    }
