"""What the stack does when something is missing, stops or dies."""

import os

import pytest

from rankalpha.stack.docker_proxy.server import NO_LIVE_RESTORE
from tests.support.daemon import MAY_RESTART, restart, set_live_restore
from tests.support.waiting import wait_for

AIRFLOW = ("airflow-webserver", "airflow-scheduler", "airflow-dag-processor", "airflow-triggerer")
SERVICES = ("postgres", "docker-proxy", *AIRFLOW, "api", "frontend")


def graded(stack, batch):
    return [run["state"] for run in stack.runs("rankalpha_grading", partition_key_prefix_pattern=batch)] == [
        "success"
    ]


def test_an_image_that_is_not_there_fails_at_once_and_is_named(stack, batch):
    with stack.variables(SCORER_IMAGE="rankalpha_none:1"):
        run_id = stack.trigger("rankalpha_scoring", batch)
        stack.settle()
    task = stack.tasks("rankalpha_scoring", run_id)["run_scorer"]
    assert (task["state"], task["try_number"]) == ("failed", 1)
    log = stack.log("rankalpha_scoring", run_id, "run_scorer")
    assert "image 'rankalpha_none:1': build or pull it on this engine, or set SCORER_IMAGE" in log


def test_a_docker_engine_that_is_away_for_a_while_only_delays_the_batch(stack, batch):
    key = "2026-11-01T06:00:00"
    stack.output("stop", "docker-proxy")
    run_id = stack.trigger("rankalpha_ingestion", key)
    wait_for("the failed attempt", lambda: state(stack, run_id) == "up_for_retry", 120)
    log = stack.log("rankalpha_ingestion", run_id, "run_ingestion")
    assert "no Docker engine answers at RANKALPHA_DOCKER_URL=tcp://docker-proxy:2375" in log
    stack.output("start", "docker-proxy")
    wait_for("the batch to be graded", lambda: graded(stack, key), 300)
    assert stack.tasks("rankalpha_ingestion", run_id)["run_ingestion"]["try_number"] == 2


def state(stack, run_id):
    return stack.tasks("rankalpha_ingestion", run_id).get("run_ingestion", {}).get("state")


def test_everything_that_dies_comes_back_and_grades_the_next_batch(stack, engine, batch):
    def back(service):
        found = engine.inspect_container(*stack.ids(service))
        return found["RestartCount"] > 0 and found["State"]["Health"]["Status"] == "healthy"

    for service in SERVICES:  # `docker kill` would tell the engine that it is to stay dead
        stack.compose("exec", "--no-TTY", service, "sh", "-c", "kill -KILL -1")
    for service in SERVICES:
        wait_for(f"{service} to be back", lambda service=service: back(service), 300)
    key = "2026-11-02T06:00:00"
    stack.trigger("rankalpha_ingestion", key)
    wait_for("the next batch to be graded", lambda: graded(stack, key), 300)


@pytest.fixture
def daemon(engine):
    """The engine, whose daemon may be killed; the setting is what it was afterwards."""
    if not os.environ.get(MAY_RESTART):
        pytest.skip(f"kills this machine's Docker daemon: set {MAY_RESTART}=1 to allow it")
    before = engine.info()["LiveRestoreEnabled"]
    yield engine
    set_live_restore(engine, on=before)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("live_restore", [True, False], ids=["live-restore", "no live-restore"])
def test_a_docker_daemon_that_is_killed_takes_the_stack_down_without_live_restore_and_brings_it_back(
    stack, daemon, batch, live_restore
):
    set_live_restore(daemon, on=live_restore)
    before = begun(stack, daemon)
    restart(daemon, live_restore=live_restore)
    hit = ("docker-proxy",) if live_restore else SERVICES  # it alone has a file of the daemon, its socket
    for service in hit:
        wait_for(f"{service} to start again", lambda s=service: begun(stack, daemon)[s] != before[s], 120)
    for service in SERVICES:
        wait_for(f"{service} to be well", lambda service=service: healthy(stack, daemon, service), 300)
    assert {service for service, at in begun(stack, daemon).items() if at != before[service]} == {*hit}
    key = f"2026-11-0{3 + live_restore}T06:00:00"
    stack.trigger("rankalpha_ingestion", key)
    wait_for("the next batch to be graded", lambda: graded(stack, key), 300)
    stack.output("restart", "docker-proxy")
    wait_for("its start", lambda: "listening on" in stack.logs("docker-proxy"))
    wait_for(
        "what it says of the engine",
        lambda: (NO_LIVE_RESTORE in newest_start(stack.logs("docker-proxy"))) != live_restore,
    )


def begun(stack, engine):
    """When the container of each service was started last."""
    return {
        service: engine.inspect_container(*stack.ids(service))["State"]["StartedAt"] for service in SERVICES
    }


def healthy(stack, engine, service):
    """Whether the container of a service runs and is healthy."""
    state = engine.inspect_container(*stack.ids(service))["State"]
    return state["Running"] and state["Health"]["Status"] == "healthy"


def newest_start(log):
    """What a proxy has logged since it started last."""
    return log.rpartition("listening on")[2]
