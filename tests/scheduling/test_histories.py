"""Whole histories in a running Airflow: scheduled, manual, late and repeated runs over several batches."""

import json
import os
import random
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from rankalpha.batch import key_of
from tests.support.stack import wait_for

HISTORIES = int(os.environ.get("HISTORIES", "3"))
DAGS = {"scores": "rankalpha_scoring", "sentiment": "rankalpha_sentiment"}
DAY = datetime(2024, 1, 1, tzinfo=UTC)


def backfill(stack, first, days):
    """Let Airflow create scheduled runs of past days, once its former backfill counts as completed."""
    for _ in range(120):
        former = stack.api.get("backfills", dag_id="rankalpha_ingestion")["backfills"]
        if all(one["completed_at"] for one in former):
            break
        time.sleep(0.5)
    stack.api.post(
        "backfills",
        {
            "dag_id": "rankalpha_ingestion",
            "from_date": first.isoformat(),
            "to_date": (first + timedelta(days=days, hours=-1)).isoformat(),
            "max_active_runs": 1,
            "reprocess_behavior": "none",
        },
    )


def play(stack, chance, first):
    """Play a random history and return the keys of the batches that it started."""
    days = chance.randint(1, 2)
    backfill(stack, first, days)
    keys = [key_of(first + timedelta(days=day, hours=6)) for day in range(days)]
    for _ in range(chance.randint(1, 2)):
        time.sleep(chance.random() * 6)
        keys.append(key_of(first + timedelta(seconds=chance.randrange(150_000))))
        stack.trigger("rankalpha_ingestion", keys[-1])
    for _ in range(chance.randint(2, 4)):
        dag_id = chance.choice([*DAGS.values(), "rankalpha_ingestion"])
        done = stack.runs("rankalpha_ingestion", state=["success"])
        ready = {run["partition_key"] for run in done} & set(keys)
        if ready:
            stack.trigger(dag_id, chance.choice(sorted(ready)))
        time.sleep(chance.random() * 4)
    return keys


def halves(stack, key):
    """The events of scores and sentiment of a batch, oldest first."""
    return sorted(
        event["timestamp"] for asset in DAGS for event in stack.events(asset) if event["partition_key"] == key
    )


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(HISTORIES))
def test_every_batch_is_graded_on_its_own_halves(stack, services, seed):
    keys = play(stack, random.Random(seed), DAY + timedelta(days=10 * seed))
    stack.settle()

    gradings = [run for run in stack.runs("rankalpha_grading") if run["partition_key"] in keys]
    for run in gradings:
        events = stack.api.get(f"dags/rankalpha_grading/dagRuns/{run['dag_run_id']}/upstreamAssetEvents")
        consumed = {(e["name"], e["partition_key"]) for e in events["asset_events"]}
        assert consumed == {("scores", run["partition_key"]), ("sentiment", run["partition_key"])}
        assert run["state"] == "success"
    for key in keys:
        of_key = [run for run in gradings if run["partition_key"] == key]
        published = halves(stack, key)
        assert of_key, f"batch {key} was never graded"
        assert max(run["start_date"] for run in of_key) > published[-1], (
            f"{key}: the newest halves are not graded"
        )
        assert len(of_key) <= len(published) - 1, f"{key}: graded more often than something new was published"
    asked = Counter(batch for batch in services.asked("/api/v1/grading/refresh") if batch in keys)
    assert asked == Counter(run["partition_key"] for run in gradings)
    assert asked == Counter(batch for batch in services.asked("/api/refresh-data") if batch in keys)


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
    """Ingestion alone: with sentiment paused, scores wait; nothing is graded."""
    key = "2023-06-01T06:00:00"
    set_paused(stack, "rankalpha_sentiment", True)
    try:
        stack.trigger("rankalpha_ingestion", key)
        stack.settle()
        assert key in {event["partition_key"] for event in stack.events("scores")}
        assert stack.runs("rankalpha_grading", partition_key_prefix_pattern=key) == []
    finally:
        set_paused(stack, "rankalpha_sentiment", False)
    stack.trigger("rankalpha_sentiment", key)
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
