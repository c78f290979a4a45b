"""Stages that run as processes outlive Airflow, as containers do."""

import pytest

from rankalpha.commands.readiness import wait_for_airflow
from tests.faults.components import arm
from tests.support.waiting import wait_for

pytestmark = pytest.mark.usefixtures("well_again")


@pytest.mark.parametrize(("hour", "component"), enumerate(["triggerer", "worker", "everything"]))
def test_a_process_that_outlives_its_airflow_is_adopted(stack, lane, hour, component):
    key = f"2022-04-01T0{hour}:00:00"
    lane.settle()
    kill = arm(stack, None, component)
    with lane.fault("ingestion", "slow"):
        run_id = lane.trigger("ingestion", key)
        wait_for("the stage", lambda: lane.journal("ingestion", key))
        if component == "triggerer":  # the others are killed while the worker waits
            wait_for("its log", lambda: " starting" in lane.log("ingestion", run_id, "run_ingestion"))
        kill()
        wait_for_airflow(stack.api)
        lane.settle()
    assert lane.tasks("ingestion", run_id)["run_ingestion"]["state"] == "success"
    assert len(lane.journal("ingestion", key)) == 1


def test_a_try_that_dies_is_not_one_of_the_retries(stack, lane):
    """The worker of the first try is killed; the stage then fails twice, as it may once."""
    key = "2022-04-02T06:00:00"
    lane.settle()
    kill = arm(stack, None, "worker")
    with lane.fault("ingestion", "slow crash"):
        run_id = lane.trigger("ingestion", key)
        wait_for("the stage", lambda: lane.journal("ingestion", key))
        kill()
        lane.settle()
    task = lane.tasks("ingestion", run_id)["run_ingestion"]
    assert (task["state"], task["try_number"]) == ("failed", 3)
    assert len(lane.journal("ingestion", key)) == 2
    assert "failed 2 times; RANKALPHA_RETRIES=1" in lane.log("ingestion", run_id, "run_ingestion", 3)
