"""Tasks on two Celery workers, with a profile made of env/example as a user makes it."""

import json
import re
import shutil
import sysconfig
from pathlib import Path

import pytest
import requests

from tests.support.channels import with_words
from tests.support.compose import ComposeStack
from tests.support.openlineage import violations
from tests.support.production import PASSWORDS, SECRETS, fill
from tests.support.stack import wait_for

WEBHOOK = "http://receiver:8000/services/T0/B0/sesame-webhook"
EMAIL = {"from_email": "airflow@example.org", "disable_ssl": True, "disable_tls": True}
RECEIVER = {  # see receiver.py
    "RANKALPHA_OPENLINEAGE": "http://receiver:8000",
    "RANKALPHA_ALERT_EMAIL": "operators@example.org",
    "AIRFLOW_CONN_SMTP_DEFAULT": json.dumps(
        {"conn_type": "smtp", "host": "receiver", "port": 25, "extra": EMAIL}
    ),
    "AIRFLOW_CONN_SLACKWEBHOOK_DEFAULT": json.dumps({"conn_type": "slackwebhook", "password": WEBHOOK}),
}
OURS = (  # but the workers: Celery begins with a banner
    *(f"airflow-{name}" for name in ("webserver", "scheduler", "dag-processor", "triggerer", "init")),
    *("airflow-startup", "docker-proxy", "api", "frontend"),
)
STEPS = ("ingestion", "scoring", "sentiment", "grading")
HEALTH_CHECK = '"GET /health HTTP/1.1"'  # of the scheduler's own small server
# writes a row to the database that the profile names, and nothing else
OWN_STAGE = """sh -c "psql -c \\"insert into done values ('$0', '$RANKALPHA_BATCH')\\"" {}"""
OWN_SERVICE = """
from http.server import BaseHTTPRequestHandler, HTTPServer

class Service(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

HTTPServer(("", 8000), Service).serve_forever()
"""


@pytest.fixture(scope="module")
def profile(checkout):
    """The profile `production`; its stages take long enough to be at work at the same time.

    Workers wait for them, as they must where no triggerer reaches their engine.
    """
    folder = checkout / "env/production"
    shutil.copytree(checkout / "env/example", folder)
    fill(folder / "airflow.env", **SECRETS, AIRFLOW__CELERY__WORKER_CONCURRENCY="1", RANKALPHA_DEFER="false")
    fill(folder / "airflow.env", AIRFLOW__LOGGING__JSON_LOGS="True", **RECEIVER)
    fill(folder / "api.env", LOG_FORMAT="json")
    fill(folder / "scorer.env", SCORER_COMMAND="sh -c 'sleep 4; exec python apps/scorer/main.py'")
    fill(folder / "sentiment.env", SENTIMENT_COMMAND="sh -c 'sleep 4; exec uv run main.py'")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def stack(local, profile):
    """The stack with two workers, one task each."""
    local.down()
    here = Path(__file__).parent
    files = ("docker-compose.yml", "docker-compose.celery.yml", here / "receiver.yml")
    receiver = {
        "RECEIVER_SCRIPT": str(here / "receiver.py"),
        "RECEIVER_PACKAGES": sysconfig.get_path("purelib"),
    }
    variables = {"RANKALPHA_ENV": profile.name, "AIRFLOW__LOGGING__JSON_LOGS": "True", **receiver}
    cluster = ComposeStack(local.checkout, *files, password=PASSWORDS["admin"], **variables)
    try:
        cluster.up("--scale=airflow-worker=2")
        yield cluster
    finally:
        cluster.down()


@pytest.fixture(scope="module")
def workers(stack, engine):
    """What the engine says of the workers' containers."""
    return [engine.inspect_container(name) for name in stack.ids("airflow-worker")]


@pytest.fixture
def own_services(stack, session):
    """A database, and a server that stands for API and frontend and knows GET only; neither is ours."""
    run = ("docker", "run", "--detach", "--network=rankalpha_net")
    database, service = f"{session}-db", f"{session}-api"
    password = f"--env=POSTGRES_PASSWORD={PASSWORDS['own']}"
    create = "create table done (stage text, batch text)"
    try:
        stack.run(*run, f"--name={service}", "python:3.13-slim-trixie", "python", "-c", OWN_SERVICE)
        stack.run(*run, f"--name={database}", password, "postgres:17")
        wait_for(lambda: "CREATE TABLE" in sql(stack, database, create), seconds=30)
        yield database, service
    finally:
        stack.run("docker", "rm", "--force", "--volumes", database, service)


def sql(stack, database, text):
    """Return what psql says in the container of a database."""
    psql = ("psql", "--host=127.0.0.1", "--username=postgres", "--tuples-only", "--no-align")
    return stack.run("docker", "exec", database, *psql, "--command", text).stdout


def received(stack, kind):
    """What the receiver was sent of a kind so far, oldest first."""
    messages = map(json.loads, stack.logs("receiver").splitlines())
    return [content for message in messages for content in (message.get(kind),) if content]


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
        assert set(networks) == {"rankalpha_queue", "rankalpha_docker_access", "rankalpha_net"}


def test_a_stage_does_not_reach_the_queue(stack, engine, batch):
    assert stack.reachable(["api:6080", *stack.addresses(engine, "redis", 6379)]) == {"api:6080"}


def test_the_log_can_be_read_while_a_worker_runs_the_stage(stack, engine, batch):
    with stack.ticking(engine, batch) as run:
        wait_for(lambda: stack.ticks(run) == list("12345"))
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
    ends = {(f"rankalpha_{step}", "COMPLETE") for step in STEPS}

    def told():
        return {(event["job"]["name"], event["eventType"]) for event in received(stack, "lineage")}

    wait_for(lambda: ends <= told(), seconds=30)
    events = received(stack, "lineage")
    assert [problem for event in events for problem in violations(event)] == []
    written = {output["name"] for event in events for output in event["outputs"]}
    assert written == {"prices", "scores", "sentiment", "grades"}


def told(stack, *words):
    """What both channels were told with certain words, oldest first; nothing until both were."""
    kinds = {kind: with_words(received(stack, kind), words) for kind in ("mail", "slack")}
    return kinds if all(kinds.values()) else None


def test_a_stage_that_a_person_has_ended_asks_for_no_action(stack, engine, batch):
    """Whose worker waits for it; a round of the watchdog begins by itself, and says who it was."""
    with stack.ticking(engine, batch):
        pass
    ended = wait_for(lambda: told(stack, "rankalpha_scoring failed for batch", batch), seconds=60)
    for texts in ended.values():
        assert [text for text in texts if "NO ACTION" not in text or "Ended by: rankalpha" not in text] == []
    assert told(stack, "ACT NOW", batch) is None


def test_a_failure_and_its_end_are_told_by_both_channels(stack, batch):
    broken = "sh -c 'echo the prices are from Mars; exit 65'"
    with stack.variables(SCORER_COMMAND=broken):
        run = stack.trigger("rankalpha_scoring", batch)
        stack.settle()
    failure = wait_for(
        lambda: told(stack, "ACT NOW", "rankalpha_scoring.run_scorer failed", batch), seconds=60
    )
    stack.clear("rankalpha_scoring", run, "run_scorer")
    stack.settle()
    look = stack.trigger("rankalpha_watchdog")
    ended = {"run_id_pattern": look, "state": ["success", "failed"]}
    wait_for(lambda: stack.runs("rankalpha_watchdog", **ended), seconds=120)
    over = wait_for(lambda: told(stack, "over: ", "rankalpha_scoring.run_scorer failed", batch), seconds=10)
    assert {kind: len(sent) for kind, sent in failure.items()} == {"mail": 1, "slack": 1}
    assert {kind: len(sent) for kind, sent in over.items()} == {"mail": 1, "slack": 1}
    for (text,) in failure.values():
        assert "the prices are from Mars" in text
    assert failure["mail"][0].startswith("operators@example.org\nRankAlpha ACT NOW")


def test_no_secret_is_in_what_the_containers_print_or_what_docker_tells_of_them(stack, engine, batch):
    told = repr([engine.inspect_container(name) for name in stack.ids()])
    assert "CeleryExecutor" in told
    assert "Following batch" in stack.logs()
    hidden = {**PASSWORDS, **SECRETS, "webhook": WEBHOOK}
    assert [name for name, secret in hidden.items() if secret in told + stack.logs()] == []


@pytest.mark.parametrize("service", OURS)
def test_each_line_that_a_container_prints_is_an_event(stack, batch, service):
    lines = [line for line in stack.logs(service).splitlines() if line and HEALTH_CHECK not in line]
    assert lines
    assert [line for line in lines if not line.startswith("{") or "event" not in json.loads(line)] == []


def test_images_that_know_nothing_of_this_project_work(stack, batch, profile, own_services):
    database, service = own_services
    for stage in ("ingestion", "scorer", "sentiment"):
        file, name = profile / f"{stage}.env", stage.upper()
        file.write_text(
            f"{name}_IMAGE=postgres:17\n{name}_COMMAND={OWN_STAGE.format(stage)}\n"
            f"PGHOST={database}\nPGUSER=postgres\nPGPASSWORD={PASSWORDS['own']}\n"
        )
    url = f"http://{service}:8000"
    fill(profile / "api.env", API_URL=url, GRADING_METHOD="GET", FRONTEND_URL=url, FRONTEND_METHOD="GET")
    key = "2026-11-03T06:00:00"
    stack.trigger("rankalpha_ingestion", key)
    wait_for(
        lambda: stack.runs("rankalpha_grading", partition_key_prefix_pattern=key, state="success"), seconds=90
    )
    rows = sql(stack, database, "select stage, batch from done order by stage").split()
    assert rows == [f"ingestion|{key}", f"scorer|{key}", f"sentiment|{key}"]
    quoted = key.replace(":", "%3A")
    asked = re.findall(r'"GET (\S+)', stack.run("docker", "logs", service).stdout)
    assert asked == [f"/api/v1/grading/refresh?batch={quoted}", f"/api/refresh-data?batch={quoted}"]
    extra = stack.events("grades")[-1]["extra"]
    assert (extra.keys(), extra["batch"]) == ({"batch", "checks"}, key)
    assert [one for one in extra["checks"] if not one["passed"]] == [], "what is not reported blocks nothing"
