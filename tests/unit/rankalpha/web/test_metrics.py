"""The metrics of an overview, and who gets them."""

import threading
from typing import get_args

import pytest
import requests
from fastapi import FastAPI
from fastapi.testclient import TestClient
from prometheus_client import generate_latest

from rankalpha.health import batch_overview
from rankalpha.health.standing import State
from rankalpha.settings import settings
from rankalpha.web.metrics import routes
from rankalpha.web.metrics.families import registry
from tests.support.waiting import wait_for
from tests.unit.rankalpha.support.overview_sample import (
    CONTAINER,
    NEW,
    OLD,
    WARNING,
    batch,
    dataset,
    sample,
    step,
)

TOKEN = "t" * 32
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}


def values(seen, name):
    """The samples of a metric: label values, sorted by label, and value."""
    found = [one for family in registry([seen]).collect() for one in family.samples]
    return {
        tuple(one.labels[key] for key in sorted(one.labels)): one.value
        for one in found
        if one.name == f"rankalpha_{name}"
    }


def test_batches_are_counted_by_state():
    found = values(sample(), "batches")
    assert found.pop(("running", "scoring")) == 1
    assert found.pop(("done", "ingestion")) == 2
    assert found.pop(("done", "frontend")) == 1
    assert len(found) == 6 * len(get_args(State)) - 3
    assert found["failed", "grading"] == 0


def test_the_newest_graded_batch_is_that_of_the_grades():
    assert values(sample(), "last_graded_batch_timestamp_seconds") == {(): 1795240800.0}
    assert values(sample(datasets=[]), "last_graded_batch_timestamp_seconds") == {}


def test_versions_that_are_used_again_are_counted():
    again = step("scoring", reused_from=OLD)
    seen = sample(batches=[batch(NEW, again, step("sentiment")), batch(OLD, step("scoring"))])
    assert values(seen, "reused_versions") == {("scores",): 1, ("sentiment",): 0, ("evaluations",): 0}


def test_durations_and_datasets():
    seen = sample()
    assert values(seen, "run_duration_seconds")["scoring",] == 35.0
    assert values(seen, "run_duration_median_seconds")["scoring",] == 35.0
    assert values(seen, "dataset_published_timestamp_seconds")["scores",] == 1795241400.0
    assert values(seen, "dataset_fresh_for_seconds")["scores",] == 26 * 3600
    assert values(seen, "dataset_stale_timestamp_seconds")["scores",] == 1795561200.0
    assert values(seen, "dataset_rows") == {
        ("prices",): 21,
        ("scores",): 20,
        ("sentiment",): 20,
        ("grades",): 20,
        ("evaluations",): 20,
    }


def test_sessions_and_what_was_carried_over():
    seen = sample()
    assert values(seen, "session_timestamp_seconds") == {(): 1795132800.0}
    assert values(seen, "sessions_behind") == {(): 0}
    seen["batches"][0]["carried_over_from"] = OLD
    assert values(seen, "carried_over_batches") == {(): 1}


@pytest.mark.parametrize("session", [None, {"as_of": "2026-11-20", "behind": 0, "current": None}])
def test_without_a_calendar_no_number_of_sessions_is_claimed(session):
    assert values(sample(session=session), "sessions_behind") == {}


@pytest.mark.parametrize(
    ("details", "spent"),
    [
        (
            {"input_tokens": 4000, "output_tokens": 400, "cost_dollars": 0.012},
            {"tokens": 4400, "dollars": 0.012},
        ),
        ({"input_tokens": 4000, "output_tokens": 400}, {"tokens": 4400, "dollars": None}),
        # an image that is not ours may give these keys any plain value
        ({"input_tokens": "4000", "output_tokens": 400}, None),
        (
            {"input_tokens": 4000, "output_tokens": None, "cost_dollars": "a lot"},
            {"tokens": 4000, "dollars": None},
        ),
        ({"left_out": 3}, None),
    ],
)
def test_what_a_stage_reports_of_a_language_model_is_in_the_overview(details, spent):
    assert batch_overview._spent(details) == spent


def test_what_a_language_model_has_cost():
    spent = {"tokens": 4400, "dollars": 0.012}
    seen = sample(batches=[batch(NEW, step("sentiment", spent=spent), step("scoring"))])
    assert values(seen, "model_tokens") == {("sentiment",): 4400}
    assert values(seen, "model_dollars") == {("sentiment",): 0.012}
    spent["dollars"] = None
    assert values(seen, "model_dollars") == {}


def test_containers_and_quality():
    seen = sample(
        batches=[
            batch(NEW, step("scoring", checks=[WARNING], container={**CONTAINER, "cpu_seconds": None})),
            batch(OLD, step("scoring", rows=None, checks=[WARNING], forced={"by": "ann", "reason": "x"})),
        ]
    )
    assert values(seen, "failed_checks") == {("scores", "warn"): 1, ("scores", "block"): 0}
    assert values(seen, "missing_results")["scores",] == 1
    assert values(seen, "forced_publications")["scores",] == 1
    assert values(seen, "container_peak_memory_bytes") == {("scoring",): 3e8}
    assert values(seen, "container_memory_limit_bytes") == {("scoring",): 1e9}
    assert values(seen, "container_cpu_seconds") == {}


def test_incidents_are_counted_by_kind_and_a_component_without_heartbeat_shows():
    incidents = [
        {"key": key, "subject": "", "text": "", "market": "default"}
        for key in ("failed a r1", "failed b r2", "paused c")
    ]
    assert values(sample(incidents=incidents), "incidents") == {("failed",): 2, ("paused",): 1}
    assert values(sample(), "incidents") == {}
    assert values(sample(), "component_heartbeat_timestamp_seconds")["dag_processor",] == 0


def test_samples_of_another_market_have_its_label_and_those_of_the_default_have_none():
    silent = {"key": "component scheduler", "subject": "", "text": "", "market": ""}
    paused = {"key": "paused c", "subject": "", "text": "", "market": "nyse"}
    market = {"name": "nyse", "starts": "", "ingestion": ""}
    seen = [sample(incidents=[silent]), sample(market=market, incidents=[silent, paused])]
    text = generate_latest(registry(seen)).decode()
    for line in (
        'rankalpha_dataset_rows{dataset="scores"} 20.0',
        'rankalpha_dataset_rows{dataset="scores",market="nyse"} 20.0',
        'rankalpha_batches{market="nyse",state="running",step="scoring"} 1.0',
        'rankalpha_last_graded_batch_timestamp_seconds{market="nyse"} 1.7952408e+09',
        'rankalpha_incidents{kind="component"} 1.0',
        'rankalpha_incidents{kind="paused",market="nyse"} 1.0',
    ):
        assert f"\n{line}\n" in text
    assert text.count("# TYPE rankalpha_batches gauge") == 1
    assert text.count('rankalpha_component_heartbeat_timestamp_seconds{component="scheduler"}') == 1
    assert text.count("\nrankalpha_incidents{") == 2


@pytest.fixture
def client(monkeypatch):
    """The route, with a token; it shows the sample."""
    monkeypatch.setenv("RANKALPHA_METRICS_TOKEN", TOKEN)
    settings.cache_clear()
    monkeypatch.setattr(routes, "recent_overviews", lambda: [sample()])
    app = FastAPI()
    app.include_router(routes.router)
    yield TestClient(app)
    settings.cache_clear()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": f"Bearer {TOKEN}t"},
        {"Authorization": "Bearer té".encode("latin-1")},
    ],
)
def test_without_the_token_there_is_nothing_to_read(client, headers):
    answer = client.get("/metrics", headers=headers)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert "rankalpha_" not in answer.text
    assert TOKEN not in answer.text


def test_without_a_token_there_are_no_metrics(client, monkeypatch):
    monkeypatch.delenv("RANKALPHA_METRICS_TOKEN")
    settings.cache_clear()
    for headers in ({}, {"Authorization": "Bearer "}, AUTHORIZED):
        answer = client.get("/metrics", headers=headers)
        assert (answer.status_code, "RANKALPHA_METRICS_TOKEN" in answer.text) == (404, True)


@pytest.mark.parametrize(
    ("accept", "served"),
    [
        ("*/*", "text/plain; version=0.0.4"),
        ("application/openmetrics-text;version=1.0.0,text/plain;q=0.5", "application/openmetrics-text"),
    ],
)
def test_the_scraper_chooses_the_format(client, accept, served):
    answer = client.get("/metrics", headers={**AUTHORIZED, "Accept": accept})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith(served)
    assert 'rankalpha_batches{state="running",step="scoring"} 1.0' in answer.text


def test_that_airflow_does_not_answer_is_reported_and_not_kept(client, monkeypatch):
    answers = iter([requests.ConnectionError("at http://secret"), None])

    def ask():
        if error := next(answers):
            raise error
        return [sample()]

    monkeypatch.setattr(routes, "recent_overviews", routes.kept(ask))
    answer = client.get("/metrics", headers=AUTHORIZED)
    assert (answer.status_code, "secret" in answer.text) == (503, False)
    assert client.get("/metrics", headers=AUTHORIZED).status_code == 200


def test_many_scrapes_ask_airflow_once_and_again_when_the_time_is_over():
    asked, together, answered = [], threading.Barrier(8), threading.Event()

    def ask():
        asked.append(1)
        answered.wait(30)
        return [{"number": len(asked)}]

    def scrape():
        together.wait(30)
        seen.append(recent())

    seen, recent = [], routes.kept(ask)
    threads = [threading.Thread(target=scrape) for _ in range(8)]
    for thread in threads:
        thread.start()
    wait_for("the first question", lambda: asked)
    answered.set()
    for thread in threads:
        thread.join(30)
    assert seen == [[{"number": 1}]] * 8
    assert [routes.kept(ask, seconds=0)() for _ in range(2)] == [[{"number": 2}], [{"number": 3}]]


def test_the_datasets_of_a_challenger_have_samples_of_their_own():
    rival = dataset("scores", step="rival_scoring", dataset="rival_scores")
    graded = batch(OLD, step("rival_scoring", rows=7))
    seen = sample(datasets=[dataset("scores"), rival], batches=[graded])
    assert set(values(seen, "dataset_published_timestamp_seconds")) == {("scores",), ("rival_scores",)}
    assert values(seen, "dataset_rows")["rival_scores",] == 7
    assert values(seen, "batches")["done", "rival_scoring"] == 1
