"""Re-running batches in a running Airflow: what follows, what stays as it was, and what is refused.

What is refused without a look at any run is in tests/unit/rankalpha/test_rankalpha_rerun.py.
"""

import pytest

from rankalpha.pipeline.pipelines import STEPS
from tests.support.services import GRADING

KEY, OTHER = "2021-04-01T06:00:00", "2021-04-01T07:00:00"


@pytest.fixture(scope="module")
def ingested(lane):
    """Two graded batches of one day."""
    for key in (KEY, OTHER):
        lane.ingest(key)


def counts(lane, key):
    """How often each DAG has run for a batch, and how often it was graded."""
    return [*(len(lane.runs_of(step.name, key)) for step in STEPS), lane.services.asked(GRADING).count(key)]


@pytest.mark.parametrize(
    ("step", "more"),
    [
        ("ingestion", [1, 1, 1, 1, 1, 1]),
        ("scoring", [0, 1, 0, 1, 1, 1]),
        ("sentiment", [0, 0, 1, 1, 1, 1]),
        ("grading", [0, 0, 0, 1, 1, 1]),
    ],
)
def test_a_batch_is_re_run_from_a_stage_on_and_no_other_batch_is(lane, ingested, step, more):
    before, other = counts(lane, KEY), counts(lane, OTHER)
    done = lane.command("rerun", "--batch", KEY, "--from", step)
    assert done.returncode == 0, done.stdout
    assert f"Batch {lane.market.named(KEY)} is graded and the frontend is notified." in done.stdout
    lane.settle()
    assert counts(lane, KEY) == [a + b for a, b in zip(before, more, strict=True)]
    assert counts(lane, OTHER) == other


@pytest.mark.parametrize("step", ["ingestion", "scoring"])
def test_without_downstream_nothing_is_published(lane, ingested, step):
    before = counts(lane, KEY)
    events = {name: len(lane.events(name)) for name in ("prices", "scores", "grades")}
    done = lane.command("rerun", "--batch", KEY, "--from", step, "--no-downstream")
    assert done.returncode == 0, done.stdout
    assert f"Batch {lane.market.named(KEY)} is complete." in done.stdout
    lane.settle()
    assert sum(counts(lane, KEY)) == sum(before) + 1
    assert {name: len(lane.events(name)) for name in events} == events


def test_a_missed_day_is_filled(lane):
    minute, hour, *_ = lane.market.schedule.split()
    key = f"2021-04-02T{int(hour):02}:{int(minute):02}:00"
    assert counts(lane, key) == [0] * 6
    done = lane.command("rerun", "--day", "2021-04-02")
    assert done.returncode == 0, done.stdout
    lane.settle()  # nothing waits for the evaluation
    assert counts(lane, key) == [1] * 6


def test_of_a_days_batches_the_newest_is_taken(lane, ingested):
    before = lane.services.asked(GRADING).count(OTHER)
    done = lane.command("rerun", "--day", "2021-04-01", "--from", "grading")
    assert done.returncode == 0, done.stdout
    assert f"Taking {OTHER}, the newest batch of the day, and not {KEY}" in done.stdout
    assert lane.services.asked(GRADING).count(OTHER) == before + 1


def test_a_batch_that_was_never_ingested_is_refused_and_nothing_triggered(lane, ingested):
    before = [len(lane.runs(step.name)) for step in STEPS]
    done = lane.command("rerun", "--batch", "2021-04-03T06:00:00")
    assert done.returncode == 2
    assert "batch 2021-04-03T06:00:00 was never ingested; the newest are" in done.stdout
    assert [len(lane.runs(step.name)) for step in STEPS] == before


def test_a_batch_that_is_being_processed_is_refused(lane, ingested):
    with lane.fault("scorer", "hang"):
        run_id = lane.trigger("scoring", KEY)
        done = lane.command("rerun", "--batch", KEY, "--from", "scoring")
        assert done.returncode == 2
        assert f"{lane.dag('scoring')} is already processing batch {KEY} (run {run_id})" in done.stdout
        lane.mark_failed("scoring", run_id)
    lane.settle()
