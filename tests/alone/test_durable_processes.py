"""Stages that run as processes outlive Airflow, as containers do."""

import json

import pytest

from rankalpha.startup import wait_for_airflow
from tests.faults.components import arm
from tests.support.waiting import wait_for


def started(stack, key):
    """The processes that a batch's ingestion has started."""
    file = stack.state / "data/journal.jsonl"
    entries = map(json.loads, file.read_text().splitlines() if file.exists() else [])
    return [entry["pid"] for entry in entries if (entry["stage"], entry["batch"]) == ("ingestion", key)]


@pytest.mark.parametrize(("hour", "component"), enumerate(["triggerer", "worker", "everything"]))
def test_a_process_that_outlives_its_airflow_is_adopted(stack, services, hour, component):
    key = f"2022-04-01T0{hour}:00:00"
    stack.settle()
    kill = arm(stack, None, component)
    with stack.fault("ingestion", "slow"):
        run_id = stack.trigger("rankalpha_ingestion", key)
        wait_for(lambda: started(stack, key), 30)
        if component == "triggerer":  # the others are killed while the worker waits
            wait_for(lambda: " starting" in stack.log("rankalpha_ingestion", run_id, "run_ingestion"))
        kill()
        wait_for_airflow(stack.api)
        stack.settle()
    assert stack.tasks("rankalpha_ingestion", run_id)["run_ingestion"]["state"] == "success"
    assert len(started(stack, key)) == 1


def test_a_try_that_dies_is_not_one_of_the_retries(stack, services):
    """The worker of the first try is killed; the stage then fails twice, as it may once."""
    key = "2022-04-02T06:00:00"
    stack.settle()
    kill = arm(stack, None, "worker")
    with stack.fault("ingestion", "slow crash"):
        run_id = stack.trigger("rankalpha_ingestion", key)
        wait_for(lambda: started(stack, key), 30)
        kill()
        stack.settle()
    task = stack.tasks("rankalpha_ingestion", run_id)["run_ingestion"]
    assert (task["state"], task["try_number"]) == ("failed", 3)
    assert len(started(stack, key)) == 2
    assert "failed 2 times; RANKALPHA_RETRIES=1" in stack.log(
        "rankalpha_ingestion", run_id, "run_ingestion", 3
    )
