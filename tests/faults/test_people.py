"""What a person does to a stage that is in flight, or was."""

import pytest

from tests.faults.cell import TICKS, ticks
from tests.faults.stages import LIMIT
from tests.support.waiting import wait_for

DAG, TASK = "rankalpha_ingestion", "run_ingestion"
GRACE = 8  # seconds: 3 until the stage is killed, the rest for a triggerer that looks about once a second


@pytest.fixture
def in_flight(stack, engine):
    """A run whose stage runs and whose task is deferred."""
    stack.settle()
    run_id = stack.trigger(DAG)
    wait_for(lambda: stack.tasks(DAG, run_id)[TASK]["state"] == "deferred", 60)
    wait_for(lambda: ticks(stack, DAG, run_id, TASK))  # the triggerer follows it
    yield run_id
    stack.settle()


def running(engine, run_id):
    """The names of a run's containers that run."""
    found = engine.client.containers(filters={"label": f"rankalpha.run={run_id}"})
    return [one["Names"][0] for one in found]


def started(engine, run_id):
    """How many containers a run has started."""
    batch = run_id.removeprefix("manual__")[:19]
    return [entry["stage"] for entry in engine.journal() if entry["batch"] == batch].count("ingestion")


def test_no_worker_is_held_while_a_stage_runs(stack, engine, in_flight):
    pool = stack.api.get("pools/stages")
    assert pool["deferred_slots"] == 1
    assert pool["running_slots"] == 0
    assert pool["open_slots"] == pool["slots"] - 1, "a stage in flight takes one of its slots"


def test_output_is_in_the_log_while_the_stage_runs(stack, engine, in_flight):
    seen = wait_for(lambda: ticks(stack, DAG, in_flight, TASK))
    assert stack.tasks(DAG, in_flight)[TASK]["state"] == "deferred"
    wait_for(lambda: len(ticks(stack, DAG, in_flight, TASK)) > len(seen))
    stack.settle()
    assert ticks(stack, DAG, in_flight, TASK) == TICKS
    assert running(engine, in_flight) == []


def test_marking_it_failed_stops_the_container(stack, engine, in_flight):
    stack.mark_failed(f"dags/{DAG}/dagRuns/{in_flight}/taskInstances/{TASK}")
    wait_for(lambda: running(engine, in_flight) == [], GRACE)
    assert started(engine, in_flight) == 1


def test_marking_the_run_failed_stops_the_container(stack, engine, in_flight):
    stack.mark_failed(f"dags/{DAG}/dagRuns/{in_flight}")
    wait_for(lambda: running(engine, in_flight) == [], GRACE)


def test_clearing_it_stops_the_container_and_starts_a_fresh_one(stack, engine, in_flight):
    (first,) = running(engine, in_flight)
    stack.clear(DAG, in_flight, TASK)
    second = wait_for(lambda: [name for name in running(engine, in_flight) if name != first], 30)
    assert running(engine, in_flight) == second, "the first is stopped before the second is started"
    stack.settle()
    assert stack.tasks(DAG, in_flight)[TASK]["state"] == "success"
    assert started(engine, in_flight) == 2


def test_clearing_a_successful_task_starts_a_fresh_container(stack, engine, in_flight):
    stack.settle()
    assert started(engine, in_flight) == 1
    stack.clear(DAG, in_flight, TASK)
    wait_for(lambda: running(engine, in_flight), 30)
    stack.settle()
    assert stack.tasks(DAG, in_flight)[TASK]["state"] == "success"
    assert started(engine, in_flight) == 2


def failed(stack, engine, command):
    """Run a stage that fails with a command; return its run, and the names of its containers."""
    stack.settle()
    with stack.variables(INGESTION_COMMAND=command):
        run_id = stack.trigger(DAG)
        wait_for(lambda: stack.runs(DAG)[-1]["state"] == "failed", 120)
    found = engine.client.containers(all=True, filters={"label": f"rankalpha.run={run_id}"})
    return run_id, sorted(one["Names"][0][-5:] for one in found)


def test_failed_stage_is_reported_retried_and_kept_for_inspection(stack, engine):
    run_id, names = failed(stack, engine, "sh -c 'echo no prices today; exit 3'")
    assert names == ["-try1", "-try2"]
    log = stack.log(DAG, run_id, TASK)
    assert "exited with 3" in log
    assert "no prices today" in log


def test_stage_beyond_its_time_limit_is_stopped(stack, engine):
    run_id, names = failed(stack, engine, "sleep 600")
    assert names == ["-try1", "-try2"]
    assert running(engine, run_id) == []
    assert f"stopped at its time limit of 0:00:{LIMIT}" in stack.log(DAG, run_id, TASK)
