"""Health and metrics of a running Airflow: the operator's command, and a real Prometheus that scrapes it."""

import json
import re
import shutil
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
import yaml

from rankalpha.health.overview import overview
from rankalpha.pipeline.pipelines import DEFAULT_PIPELINE
from rankalpha.stack.embedded.ports import free_ports
from rankalpha.web.metrics.routes import KEPT_SECONDS
from tests.support.checkout import ROOT
from tests.support.needs import needs
from tests.support.waiting import wait_for

MONITORING = ROOT / "docs" / "monitoring"
KEY = "2021-04-01T06:00:00"
ASKS = re.compile(r'"path":"\S+/dags/rankalpha_grading/dagRuns","query":"[^"]*state=success')  # its durations
NAME = re.compile(r"rankalpha_\w+")


@pytest.fixture(scope="module")
def graded(lane):
    """A batch that was graded."""
    lane.ingest(KEY)
    return KEY


@pytest.fixture(scope="module")
def promtool():
    """Prometheus' own checker."""
    program = needs("prometheus")

    def run(*arguments, text=None):
        done = subprocess.run([program, *arguments], input=text, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


@pytest.fixture(scope="module")
def prometheus(stack, graded, promtool, tmp_path_factory):
    """A Prometheus with the configuration of docs/monitoring, but for address and pace; asks it a query."""
    folder = tmp_path_factory.mktemp("prometheus")
    shutil.copy(MONITORING / "rules.yml", folder)
    config = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
    config["global"] |= {"scrape_interval": "1s", "evaluation_interval": "1s"}
    (scrape,) = config["scrape_configs"]
    scrape["static_configs"][0]["targets"] = [stack.urls["airflow"].removeprefix("http://")]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    (folder / scrape["authorization"]["credentials_file"]).write_text(token(stack))
    promtool("check", "config", str(folder / "prometheus.yml"))
    (port,) = free_ports(1)
    command = ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([*command, f"--web.listen-address=127.0.0.1:{port}"], stderr=log)

    def ask(path, **params):
        answer = requests.get(f"http://127.0.0.1:{port}/api/v1/{path}", params=params, timeout=10).json()
        assert answer["status"] == "success", answer
        return answer["data"]

    def scraped():
        assert process.poll() is None, Path(folder, "log").read_text()
        return ask("query", query="up == 1")["result"]

    try:
        wait_for("the first scrape", scraped, forgive=requests.RequestException)  # it may not listen yet
        yield ask
    finally:
        process.terminate()
        process.wait(20)


def token(stack):
    return stack.env["RANKALPHA_METRICS_TOKEN"]


def scrape(stack, **headers):
    return requests.get(f"{stack.urls['airflow']}/rankalpha/metrics", headers=headers, timeout=30)


def expressions():
    """The PromQL of the dashboard and of the alerts."""
    dashboard = json.loads((MONITORING / "grafana.json").read_text())
    rules = yaml.safe_load((MONITORING / "rules.yml").read_text())
    shown = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    return shown + [rule["expr"] for group in rules["groups"] for rule in group["rules"]]


def test_the_overview_of_a_graded_batch(stack, graded, monkeypatch):
    asked = []
    send = stack.api._session.request
    monkeypatch.setattr(
        stack.api._session,
        "request",
        lambda method, url, **kwargs: asked.append((url, kwargs)) or send(method, url, **kwargs),
    )
    seen = overview(stack.api, 3, DEFAULT_PIPELINE)
    first = [url for url, request in asked if not request["params"].get("offset")]
    assert sum("/taskInstances/" not in url for url in first) == 15, "none for each batch"
    failed = sum(one["state"] in ("failed", "blocked") for batch in seen["batches"] for one in batch["steps"])
    assert len(first) <= 15 + 4 * failed, "what failed steps have left"
    (found,) = [batch for batch in seen["batches"] if batch["batch"] == graded]
    assert found["settled"]
    steps = {one["step"]: one for one in found["steps"]}
    assert {one["state"] for one in steps.values()} == {"done"}
    ingestion = steps["ingestion"]
    assert (ingestion["rows"], ingestion["symbols"], ingestion["as_of"]) == (1, 1, graded[:10])
    assert ingestion["seconds"] > ingestion["container"]["seconds"] > 0
    assert ingestion["container"]["peak_memory_bytes"] > 1e6
    assert {check["passed"] for check in ingestion["checks"]} == {True}
    assert steps["frontend"]["published"] is None
    assert [one["name"] for one in seen["datasets"]] == [step.writes for step in DEFAULT_PIPELINE.steps]
    assert all(one["newest_batch"] >= graded and not one["stale"] for one in seen["datasets"])
    assert all(one["seconds"] and min(one["seconds"]) > 0 for one in seen["trends"])
    assert None not in seen["components"].values()


def test_the_datasets_that_were_published_long_ago_are_shown_too(stack, graded):
    seen = overview(stack.api, 1e-6, DEFAULT_PIPELINE)
    assert seen["batches"] == []
    assert all(one["published"] and one["age_hours"] < 1 for one in seen["datasets"])


def test_the_command_shows_batches_freshness_durations_and_resources(stack, graded):
    done = stack.command("health")
    for text in (graded, "Freshness", "Durations and resources", "sentiment", "newest heartbeat"):
        assert text in done.stdout
    shown = json.loads(stack.command("health", "--json").stdout)
    assert {one["step"] for one in shown["usage"]} == {"ingestion", "scoring", "sentiment", "evaluation"}
    assert all(one["seconds"] > 0 for one in shown["durations"])


def test_its_exit_status_is_for_a_monitor(stack, lane, graded):
    recent = "--days=0.000001"  # what other tests have left does not count
    well = stack.command("health", recent)
    assert (well.returncode, "All is well." in well.stdout) == (0, True), well.stdout
    begun = datetime.now(UTC)
    with lane.fault("scorer", "bad data"):
        lane.ingest("2021-04-02T06:00:00")
    days = (datetime.now(UTC) - begun).total_seconds() / 86400
    wrong = stack.command("health", f"--days={days}")
    assert wrong.returncode == 1
    assert "rankalpha_scoring failed for batch 2021-04-02T06:00:00" in wrong.stdout
    silent = stack.run("env", "RANKALPHA_AIRFLOW_URL=http://127.0.0.1:9", stack.rankalpha, "health")
    assert (silent.returncode, silent.stdout[:6]) == (2, "error:")


def test_only_who_has_the_token_gets_the_metrics(stack, promtool, graded):
    assert scrape(stack).status_code == 401
    airflow = stack.api._session.headers["Authorization"]  # an admin's, but it is not for scrapers
    assert scrape(stack, Authorization=airflow).status_code == 401
    answer = scrape(stack, Authorization=f"Bearer {token(stack)}")
    assert answer.status_code == 200
    promtool("check", "metrics", text=answer.text)
    assert not re.search(r"\d{4}-\d\d-\d\d|manual__|asset_triggered", answer.text), "no batches, no runs"
    logs = "".join(path.read_text(errors="replace") for path in (stack.state / "logs").glob("*.log"))
    assert "/rankalpha/metrics" in logs
    assert token(stack) not in logs


def times_asked(stack):
    """How often the API server has asked for the metrics, by a request that only this makes."""
    log = Path(stack.state, "logs", "airflow-api-server.log").read_text(errors="replace")
    return len(ASKS.findall(log))


def test_a_scrape_is_cheap(stack, graded):
    """However many there are, the API server asks once within the seconds that it keeps the answer."""
    authorization = f"Bearer {token(stack)}"
    scrape(stack, Authorization=authorization)
    before, begun = times_asked(stack), time.monotonic()
    assert before, "the log shows the requests"
    for _ in range(10):
        assert scrape(stack, Authorization=authorization).status_code == 200
    assert times_asked(stack) - before <= 1 + (time.monotonic() - begun) // KEPT_SECONDS


def test_prometheus_scrapes_it_and_answers(prometheus):
    (done,) = prometheus("query", query='rankalpha_batches{step="frontend",state="done"}')["result"]
    assert float(done["value"][1]) >= 1
    assert done["metric"]["job"] == "rankalpha"
    age = prometheus(
        "query", query='time() - rankalpha_dataset_published_timestamp_seconds{dataset="grades"}'
    )
    assert 0 < float(age["result"][0]["value"][1]) < 3600


def test_each_expression_is_of_metrics_that_are_there(prometheus):
    exposed = set(wait_for("metadata", lambda: prometheus("metadata")))
    used = set()
    for expression in expressions():
        prometheus("query", query=expression)
        used |= set(NAME.findall(expression))
    ours = {name for name in exposed if name.startswith("rankalpha_")}
    assert used == ours, "each metric that is exposed is shown, and each that is shown is exposed"


def test_the_alert_rules_are_evaluated(prometheus, promtool):
    promtool("check", "rules", "--lint=all", "--lint-fatal", str(MONITORING / "rules.yml"))

    def rules():
        return {rule["name"]: rule for group in prometheus("rules")["groups"] for rule in group["rules"]}

    wait_for("an evaluation", lambda: {rule["health"] for rule in rules().values()} == {"ok"})
    quiet = ("RankAlphaDown", "RankAlphaComponentSilent", "RankAlphaDatasetStale")
    # a scrape that takes longer than its second is pending until the next one
    wait_for("quiet rules", lambda: {rules()[name]["state"] for name in quiet} == {"inactive"})
