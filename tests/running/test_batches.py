"""What a batch goes through in a running Airflow: its key, its stages alone, its halves."""

from datetime import datetime

import pytest

from rankalpha.airflow_api import AirflowApi, AirflowApiError
from rankalpha.pipeline.batch import key_of
from tests.support.waiting import wait_for

KEY = "2023-05-01T06:00:00"


@pytest.fixture(scope="module")
def graded(lane):
    """A batch that has been graded once."""
    lane.ingest(KEY)
    assert len(lane.runs_of("grading", KEY)) == 1
    return KEY


@pytest.mark.parametrize("stage", ["ingestion", "scorer", "sentiment", "evaluation"])
def test_a_stage_gets_its_batch_day_and_market(lane, graded, stage):
    seen = {(entry["date"], entry["market"]) for entry in lane.journal(stage, graded)}
    assert seen == {(graded[:10], lane.market.name)}


@pytest.mark.parametrize("step", ["scoring", "sentiment"])
def test_a_graded_batch_is_graded_again_after_a_stage_was_repeated(lane, graded, step):
    before = len(lane.runs_of("grading", graded))
    lane.trigger(step, graded)
    lane.settle()
    assert len(lane.runs_of("grading", graded)) == before + 1


def test_ingestion_without_a_key_makes_one_of_its_time(lane):
    run_id = lane.ingest(None)
    run = lane.api.get(f"dags/{lane.dag('ingestion')}/dagRuns/{run_id}")
    key = key_of(datetime.fromisoformat(run["run_after"]))
    assert lane.events("prices")[-1]["partition_key"] == key
    assert [run["state"] for run in lane.runs_of("grading", key)] == ["success"]


@pytest.mark.parametrize(
    ("step", "task_id", "inputs"),
    [
        ("scoring", "run_scorer", ["prices"]),
        ("sentiment", "run_ai_analysis", ["prices"]),
        ("grading", "update_grading", ["scores", "sentiment"]),
        ("evaluation", "run_evaluation", ["grades"]),
    ],
)
def test_a_stage_without_a_key_takes_the_newest_batch_and_says_so(lane, graded, step, task_id, inputs):
    newest = min(max(event["partition_key"] for event in lane.events(dataset)) for dataset in inputs)
    run_id = lane.trigger(step)
    lane.settle()
    assert lane.tasks(step, run_id)[task_id]["state"] == "success"
    assert f"taking the newest published batch, {newest}" in lane.log(step, run_id, task_id)


@pytest.mark.parametrize(
    ("step", "key", "reason"),
    [
        ("scoring", "2020-02-02T02:02:02", "batch 2020-02-02T02:02:02 was never published in "),
        ("grading", "2020-02-02T02:02:02", "batch 2020-02-02T02:02:02 was never published in "),
        ("scoring", "yesterday", "'yesterday' is not a batch key"),
        ("ingestion", "2020-2-2T02:02:02", "expected 2020-02-02T02:02:02"),
        ("ingestion", "2999-01-01T00:00:00", "lies in the future"),
    ],
)
def test_a_key_of_no_batch_is_refused_before_there_is_a_run(lane, graded, step, key, reason):
    before = len(lane.runs(step))
    with pytest.raises(AirflowApiError) as refused:
        lane.trigger(step, key)
    assert (refused.value.status, reason in refused.value.detail) == (400, True)
    assert len(lane.runs(step)) == before


def test_who_may_not_trigger_learns_nothing_of_keys(lane, graded, password):
    viewer = AirflowApi(lane.api.url, "viewer", password)
    for key in (KEY, "2020-02-02T02:02:02", "yesterday"):
        with pytest.raises(AirflowApiError) as refused:
            viewer.post(f"dags/{lane.dag('scoring')}/dagRuns", {"logical_date": None, "partition_key": key})
        assert refused.value.status == 403


def test_a_half_that_was_never_joined_does_not_start_grading(lane):
    """With sentiment paused, scores wait and nothing is graded; unpaused, it goes on by itself."""
    key = "2023-06-01T06:00:00"
    with lane.paused("sentiment"):
        lane.trigger("ingestion", key)
        wait_for("the batch's scores", lambda: lane.published("scores", key))
        (waiting,) = wait_for("the run that the pause holds", lambda: lane.runs_of("sentiment", key))
        assert waiting["state"] == "queued"
        assert lane.runs_of("grading", key) == []
    lane.settle()
    assert len(lane.runs_of("grading", key)) == 1


def test_the_datasets_view_works_while_a_run_is_queued(lane, graded):
    """What Airflow 3.3.2 answers with 500: the events of a dataset, one of whose runs has not started."""
    key = "2023-07-01T06:00:00"
    with lane.fault("scorer", "hang"):
        first = lane.trigger("scoring", graded)  # the next run of this DAG has to wait
        lane.trigger("ingestion", key)
        (waiting,) = wait_for("the run that waits", lambda: lane.runs_of("scoring", key))
        assert (waiting["state"], waiting["start_date"]) == ("queued", None)
        assert lane.events("prices")[-1]["partition_key"] == key
    lane.mark_failed("scoring", first)
    lane.settle()
