"""Re-running batches in a running Airflow: what follows, what stays as it was, and what is refused."""

import sys
from datetime import UTC, datetime, timedelta

import pytest

from rankalpha.pipeline import PIPELINE
from tests.support.services import GRADING
from tests.support.stack import ROOT

KEY, OTHER = "2021-04-01T06:00:00", "2021-04-01T07:00:00"


@pytest.fixture(scope="module")
def ingested(stack, services):
    """Two graded batches of one day."""
    for key in (KEY, OTHER):
        stack.trigger("rankalpha_ingestion", key)
        stack.settle()


def rerun(stack, *arguments):
    env = stack.env | {"RANKALPHA_AIRFLOW_URL": stack.urls["airflow"]}
    stack.env, kept = env, stack.env
    try:
        return stack.run(sys.executable, str(ROOT / "scripts" / "rerun.py"), *arguments)
    finally:
        stack.env = kept


def counts(stack, services, key):
    """How often each DAG has run for a batch, and how often it was graded."""
    runs = [len(stack.runs(dag_id, partition_key_prefix_pattern=key)) for dag_id in PIPELINE]
    return [*runs, services.asked(GRADING).count(key)]


@pytest.mark.parametrize(
    ("step", "more"),
    [
        ("ingestion", [1, 1, 1, 1, 1]),
        ("scoring", [0, 1, 0, 1, 1]),
        ("sentiment", [0, 0, 1, 1, 1]),
        ("grading", [0, 0, 0, 1, 1]),
    ],
)
def test_a_batch_is_re_run_from_a_stage_on_and_no_other_batch_is(stack, services, ingested, step, more):
    before, other = counts(stack, services, KEY), counts(stack, services, OTHER)
    done = rerun(stack, "--batch", KEY, "--from", step)
    assert done.returncode == 0, done.stdout
    assert f"Batch {KEY} is graded and the frontend is notified." in done.stdout
    stack.settle()
    assert counts(stack, services, KEY) == [a + b for a, b in zip(before, more, strict=True)]
    assert counts(stack, services, OTHER) == other


@pytest.mark.parametrize("step", ["ingestion", "scoring"])
def test_without_downstream_nothing_is_published(stack, services, ingested, step):
    before = counts(stack, services, KEY)
    events = {name: len(stack.events(name)) for name in ("prices", "scores", "grades")}
    done = rerun(stack, "--batch", KEY, "--from", step, "--no-downstream")
    assert done.returncode == 0, done.stdout
    assert f"Batch {KEY} is through." in done.stdout
    stack.settle()
    after = counts(stack, services, KEY)
    assert sum(after) == sum(before) + 1
    assert {name: len(stack.events(name)) for name in events} == events


def test_a_missed_day_is_filled(stack, services, ingested):
    done = rerun(stack, "--day", "2021-04-02")
    assert done.returncode == 0, done.stdout
    assert services.asked(GRADING).count("2021-04-02T06:00:00") == 1


def test_of_a_days_batches_the_newest_is_taken(stack, services, ingested):
    before = services.asked(GRADING).count(OTHER)
    done = rerun(stack, "--day", "2021-04-01", "--from", "grading")
    assert done.returncode == 0, done.stdout
    assert f"Taking {OTHER}, the newest batch of the day, and not {KEY}" in done.stdout
    assert services.asked(GRADING).count(OTHER) == before + 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--batch", "yesterday"], "'yesterday' is no batch key; one looks like"),
        (["--batch", "2999-01-01T00:00:00"], "batch 2999-01-01T00:00:00 lies in the future"),
        (["--batch", "2021-04-03T06:00:00"], "was never ingested; the newest are"),
        (["--day", "1 April"], "'1 April' is no day; one looks like 2026-11-22"),
        (["--day", f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%d}"], "lies in the future"),
        (["--day", "2021-04-04", "--from", "grading"], "2021-04-04 has no batch to begin grading with"),
        ([], "one of the arguments --batch --day is required"),
        (["--batch", KEY, "--from", "lunch"], "invalid choice: 'lunch'"),
    ],
)
def test_nonsense_is_refused_and_nothing_triggered(stack, ingested, arguments, message):
    before = [len(stack.runs(dag_id)) for dag_id in PIPELINE]
    done = rerun(stack, *arguments)
    assert done.returncode == 2
    assert message in done.stdout
    assert [len(stack.runs(dag_id)) for dag_id in PIPELINE] == before


def test_a_batch_that_is_in_hand_or_whose_dag_is_paused_is_refused(stack, ingested):
    stack.api._call("PATCH", "dags/rankalpha_scoring", json={"is_paused": True})
    try:
        done = rerun(stack, "--batch", KEY, "--from", "scoring")
        assert (done.returncode, "rankalpha_scoring is paused" in done.stdout) == (2, True)
    finally:
        stack.api._call("PATCH", "dags/rankalpha_scoring", json={"is_paused": False})
    with stack.fault("scorer", "hang"):
        run_id = stack.trigger("rankalpha_scoring", KEY)
        done = rerun(stack, "--batch", KEY, "--from", "scoring")
        assert done.returncode == 2
        assert f"rankalpha_scoring has batch {KEY} in hand: run {run_id}" in done.stdout
        stack.mark_failed(f"dags/rankalpha_scoring/dagRuns/{run_id}")
    stack.settle()
