"""What a person does to a stage that is in flight, or was."""

import pytest

from tests.faults.cell import batch_of, printed
from tests.faults.moments import DAG, TASK
from tests.faults.stages import LIMIT, LONG, ticks
from tests.support.waiting import wait_for

# for what ends a stage long before its own end, however busy the machine is
LASTING = pytest.mark.parametrize("lane", [LONG], indirect=True)


@pytest.fixture
def lane(lanes, request):
    """The market in which it happens."""
    return lanes[getattr(request, "param", "default")]


@pytest.fixture
def in_flight(lane):
    """A run whose stage runs and whose task is deferred."""
    lane.settle()
    run_id = lane.trigger(DAG)
    wait_for("the deferral", lambda: lane.tasks(DAG, run_id)[TASK]["state"] == "deferred")
    wait_for("the first tick in the log", lambda: printed(lane, run_id))  # the triggerer follows it
    yield run_id
    lane.settle()


def running(engine, run_id):
    """The names of a run's containers that run."""
    found = engine.client.containers(filters={"label": f"rankalpha.run={run_id}"})
    return [one["Names"][0] for one in found]


def started(lane, engine, run_id):
    """How many containers of ingestion a run has started."""
    entries = [entry for entry in engine.journal(lane.market) if entry["batch"] == batch_of(run_id)]
    return [entry["stage"] for entry in entries].count("ingestion")


def stopped(engine, lane, run_id):
    """Wait until the container of a run has ended; return whether it was before all was printed."""
    wait_for("the end of the container", lambda: running(engine, run_id) == [])
    (one,) = engine.client.containers(all=True, filters={"label": f"rankalpha.run={run_id}"})
    return engine.client.logs(one["Id"]).count(b"tick") < len(ticks(lane.market.name))


def test_no_worker_is_held_while_a_stage_runs(stack, in_flight):
    pool = stack.api.get("pools/stages")
    assert pool["deferred_slots"] == 1
    assert pool["running_slots"] == 0
    assert pool["open_slots"] == pool["slots"] - 1, "a stage in flight takes one of its slots"


def test_output_is_in_the_log_while_the_stage_runs(lane, engine, in_flight):
    seen = printed(lane, in_flight)
    assert 0 < len(seen) < len(ticks("default"))
    assert lane.tasks(DAG, in_flight)[TASK]["state"] == "deferred"
    lane.settle()
    assert printed(lane, in_flight) == ticks("default")
    assert running(engine, in_flight) == []


@LASTING
def test_marking_it_failed_stops_the_container(lane, engine, in_flight):
    lane.mark_failed(DAG, in_flight, TASK)
    assert stopped(engine, lane, in_flight)
    assert started(lane, engine, in_flight) == 1


@LASTING
def test_marking_the_run_failed_stops_the_container(lane, engine, in_flight):
    lane.mark_failed(DAG, in_flight)
    assert stopped(engine, lane, in_flight)


@LASTING
def test_clearing_it_stops_the_container_and_starts_a_fresh_one(lane, engine, in_flight):
    (first,) = running(engine, in_flight)
    lane.clear(DAG, in_flight, TASK)
    second = wait_for("another", lambda: [name for name in running(engine, in_flight) if name != first])
    assert running(engine, in_flight) == second, "the first is stopped before the second is started"
    lane.settle()
    assert lane.tasks(DAG, in_flight)[TASK]["state"] == "success"
    assert started(lane, engine, in_flight) == 2


def test_clearing_a_successful_task_starts_a_fresh_container(lane, engine, in_flight):
    lane.settle()
    assert started(lane, engine, in_flight) == 1
    lane.clear(DAG, in_flight, TASK)
    wait_for("a fresh container", lambda: running(engine, in_flight))
    lane.settle()
    assert lane.tasks(DAG, in_flight)[TASK]["state"] == "success"
    assert started(lane, engine, in_flight) == 2


def failed(lane, engine, command):
    """Run a stage that fails with a command; return its run, and the names of its containers."""
    lane.settle()
    with lane.stack.variables(INGESTION_COMMAND=command):
        run_id = lane.trigger(DAG)
        wait_for("the failed run", lambda: lane.runs(DAG)[-1]["state"] == "failed", 180)
    found = engine.client.containers(all=True, filters={"label": f"rankalpha.run={run_id}"})
    return run_id, sorted(one["Names"][0][-5:] for one in found)


def test_failed_stage_is_reported_retried_and_kept_for_inspection(lane, engine):
    run_id, names = failed(lane, engine, "sh -c 'echo no prices today; exit 3'")
    assert names == ["-try1", "-try2"]
    log = lane.log(DAG, run_id, TASK)
    assert "exited with 3" in log
    assert "no prices today" in log


def test_stage_beyond_its_time_limit_is_stopped(lane, engine):
    run_id, names = failed(lane, engine, "sleep 600")
    assert names == ["-try1", "-try2"]
    assert running(engine, run_id) == []
    assert f"stopped at its time limit of 0:00:{LIMIT}" in lane.log(DAG, run_id, TASK)
