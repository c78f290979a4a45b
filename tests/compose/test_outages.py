"""What the stack does when something is missing, stops or dies."""

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
