"""Tasks on two Celery workers."""

import re

import pytest
import requests

from rankalpha.pipeline.steps import DATASETS
from tests.support import intruder
from tests.support.openlineage import violations
from tests.support.production import SECRETS
from tests.support.waiting import wait_for

from .receiving import received


@pytest.fixture(scope="module")
def workers(stack, engine):
    """What the engine says of the workers' containers."""
    return [engine.inspect_container(name) for name in stack.ids("airflow-worker")]


def task(stack, dag_id, batch, task_id):
    (run,) = stack.runs(dag_id, partition_key_prefix_pattern=batch)
    return stack.tasks(dag_id, run["dag_run_id"])[task_id]


def test_the_stages_of_a_batch_run_on_both_workers(stack, batch, workers):
    scorer = task(stack, "rankalpha_scoring", batch, "run_scorer")
    sentiment = task(stack, "rankalpha_sentiment", batch, "run_ai_analysis")
    hosts = {worker["Config"]["Hostname"] for worker in workers}
    assert {scorer["hostname"], sentiment["hostname"]} == hosts
    assert len(hosts) == 2


def test_workers_are_not_on_the_network_of_the_database(workers):
    for worker in workers:
        networks = worker["NetworkSettings"]["Networks"]
        own = {"queue", "docker_access", "airflow_api", "services"}
        assert set(networks) == {f"rankalpha_{name}" for name in own}


def test_a_stage_of_a_worker_has_no_power_and_reaches_nothing_of_airflow(stack, engine, batch):
    """Neither the queue, nor the workers, nor what they reach."""
    private = {
        "redis:6379": "airflow-worker",
        "docker-proxy:2375": "airflow-worker",
        "airflow-webserver:8080": "airflow-worker",
        "airflow-worker:8793": "airflow-worker",
        "airflow-scheduler:8974": "airflow-scheduler",
        "postgres:5432": "airflow-scheduler",
    }
    for address, service in private.items():
        assert stack.reachable([address], service) == {address}
    places = [place.split(":") for place in private]
    addresses = [one for service, port in places for one in stack.addresses(engine, service, port)]
    stage = stack.intruder(batch, ["api:6080", *addresses])
    assert stage["reached"] == {"api:6080"}
    assert stage["resolved"] & {"api", *(service for service, _ in places)} == {"api"}
    assert (stage["capabilities"], stage["opened"]) == (intruder.NO_CAPABILITY, {"plain"})


def test_the_log_can_be_read_while_a_worker_runs_the_stage(stack, engine, batch):
    with stack.ticking(engine, batch) as run:
        wait_for("all ticks", lambda: stack.ticks(run) == list("12345"))
        assert [container["State"] for container in stack.stages(engine)] == ["running"]


def test_metrics_are_served_to_who_has_the_token(stack, batch):
    url = f"{stack.urls['airflow']}/rankalpha/metrics"
    assert requests.get(url, timeout=10).status_code == 401
    shown = requests.get(
        url, headers={"Authorization": f"Bearer {SECRETS['RANKALPHA_METRICS_TOKEN']}"}, timeout=30
    )
    assert shown.status_code == 200
    assert re.search(r'rankalpha_container_peak_memory_bytes{.*step="scoring".*} [1-9]', shown.text)


def test_each_event_of_a_batch_is_told_to_an_openlineage_server(stack, batch):
    ends = {(f"rankalpha_{step}", "COMPLETE") for step in DATASETS}

    def told():
        return {(event["job"]["name"], event["eventType"]) for event in received(stack, "lineage")}

    wait_for("the end of each step", lambda: ends <= told())
    events = received(stack, "lineage")
    assert [problem for event in events for problem in violations(event)] == []
    written = {output["name"] for event in events for output in event["outputs"]}
    assert written == set(DATASETS.values())
