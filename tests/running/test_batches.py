"""What a batch goes through in a running Airflow: its key, its stages alone, its halves."""

import json
from datetime import datetime

import pytest

from rankalpha.batch import key_of
from tests.support.waiting import wait_for

DAGS = {"scores": "rankalpha_scoring", "sentiment": "rankalpha_sentiment"}


@pytest.fixture(scope="module")
def graded(stack):
    """A batch that has been graded once."""
    key = "2023-05-01T06:00:00"
    stack.trigger("rankalpha_ingestion", key)
    stack.settle()
    assert len(stack.runs("rankalpha_grading", partition_key_prefix_pattern=key)) == 1
    return key


def test_a_stage_gets_its_batch_and_day(stack, graded):
    journal = [json.loads(line) for line in (stack.state / "data/journal.jsonl").read_text().splitlines()]
    seen = [entry for entry in journal if entry["batch"] == graded]
    assert {entry["stage"] for entry in seen} == {"ingestion", "scorer", "sentiment"}
    assert {entry["date"] for entry in seen} == {graded[:10]}


@pytest.mark.parametrize("dag_id", DAGS.values())
def test_a_graded_batch_is_graded_again_after_a_stage_was_repeated(stack, graded, dag_id):
    before = len(stack.runs("rankalpha_grading", partition_key_prefix_pattern=graded))
    stack.trigger(dag_id, graded)
    stack.settle()
    assert len(stack.runs("rankalpha_grading", partition_key_prefix_pattern=graded)) == before + 1


def test_ingestion_without_a_key_makes_one_of_its_time(stack):
    run_id = stack.trigger("rankalpha_ingestion")
    stack.settle()
    run = stack.api.get(f"dags/rankalpha_ingestion/dagRuns/{run_id}")
    key = key_of(datetime.fromisoformat(run["run_after"]))
    assert stack.events("prices")[-1]["partition_key"] == key
    assert [run["state"] for run in stack.runs("rankalpha_grading", partition_key_prefix_pattern=key)] == [
        "success"
    ]


@pytest.mark.parametrize(
    ("dag_id", "task_id", "inputs"),
    [
        ("rankalpha_scoring", "run_scorer", ["prices"]),
        ("rankalpha_sentiment", "run_ai_analysis", ["prices"]),
        ("rankalpha_grading", "update_grading", ["scores", "sentiment"]),
    ],
)
def test_a_stage_without_a_key_takes_the_newest_batch_and_says_so(stack, graded, dag_id, task_id, inputs):
    newest = min(max(event["partition_key"] for event in stack.events(asset)) for asset in inputs)
    run_id = stack.trigger(dag_id)
    stack.settle()
    assert stack.tasks(dag_id, run_id)[task_id]["state"] == "success"
    assert f"taking the newest published batch, {newest}" in stack.log(dag_id, run_id, task_id)


@pytest.mark.parametrize(
    ("dag_id", "task_id"), [("rankalpha_scoring", "run_scorer"), ("rankalpha_grading", "update_grading")]
)
def test_a_key_that_was_never_published_is_refused_at_once(stack, graded, dag_id, task_id):
    run_id = stack.trigger(dag_id, "2020-02-02T02:02:02")
    stack.settle()
    task = stack.tasks(dag_id, run_id)[task_id]
    assert (task["state"], task["try_number"]) == ("failed", 1)
    assert "batch 2020-02-02T02:02:02 was never published in" in stack.log(dag_id, run_id, task_id)


def test_a_half_that_was_never_joined_does_not_start_grading(stack, graded):
    """With sentiment paused, scores wait and nothing is graded; unpaused, it goes on by itself."""
    key = "2023-06-01T06:00:00"
    set_paused(stack, "rankalpha_sentiment", True)
    try:
        stack.trigger("rankalpha_ingestion", key)
        wait_for(lambda: key in {event["partition_key"] for event in stack.events("scores")}, seconds=60)
        (waiting,) = wait_for(lambda: stack.runs("rankalpha_sentiment", partition_key_prefix_pattern=key))
        assert waiting["state"] == "queued"
        assert stack.runs("rankalpha_grading", partition_key_prefix_pattern=key) == []
    finally:
        set_paused(stack, "rankalpha_sentiment", False)
    stack.settle()
    assert len(stack.runs("rankalpha_grading", partition_key_prefix_pattern=key)) == 1


def test_the_datasets_view_works_while_a_run_is_queued(stack, graded):
    """What Airflow 3.3.2 answers with 500: the events of a dataset, one of whose runs has not started."""
    key = "2023-07-01T06:00:00"
    with stack.fault("scorer", "hang"):
        stack.trigger("rankalpha_scoring", graded)  # the next run of this DAG has to wait
        stack.trigger("rankalpha_ingestion", key)
        (waiting,) = wait_for(
            lambda: stack.runs("rankalpha_scoring", state=["queued"], partition_key_pattern=key)
        )
        assert waiting["start_date"] is None
        assert stack.events("prices")[-1]["partition_key"] == key
    stack.settle()


def set_paused(stack, dag_id, paused):
    stack.api._call("PATCH", f"dags/{dag_id}", json={"is_paused": paused})
