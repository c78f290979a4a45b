"""What the task asks the API server, and what it makes of the answer; the server itself: tests/alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests as http
from airflow.sdk.exceptions import AirflowFailException

from rankalpha.maintenance import prune_metadata
from tests.support.http_server import Answer, Request, local_server


class Server:
    """Airflow's API as far as the task needs it."""

    def __init__(self) -> None:
        self.answer: Any = {"deleted": {"log": 7, "job": 0, "dag_run": 2}}
        self.status = 200
        self.kept_since: str | None = None

    def __call__(self, request: Request) -> Answer:
        if request.path == "/auth/token":
            known = request.json() == {"username": "rankalpha", "password": "sesame-17"}
            return (201, {"access_token": "token"}) if known else (401, {"detail": "Unauthorized"})
        if request.headers["authorization"] != "Bearer token":
            return 401, {"detail": "Not authenticated"}
        if self.status != 200:
            return self.status, {"detail": "Forbidden"}
        asked = request.json()["before"]
        return 200, {"asked": asked, "before": self.kept_since or asked, **self.answer}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[Server]:
    caplog.set_level("INFO")
    monkeypatch.setenv("RANKALPHA_ADMIN_PASSWORD", "sesame-17")
    yield Server()
    assert "sesame-17" not in caplog.text


@contextmanager
def serving(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Request]]:
    with local_server(server) as (url, requests):
        monkeypatch.setenv("RANKALPHA_AIRFLOW_URL", url)
        yield requests


def test_it_asks_for_what_is_older_and_says_what_went(server, monkeypatch, caplog):
    monkeypatch.setenv("RANKALPHA_KEEP_METADATA_DAYS", "10")
    with serving(server, monkeypatch) as requests:
        prune_metadata()
    assert (requests[-1].method, requests[-1].path) == ("POST", "/rankalpha/metadata/prune")
    before = datetime.fromisoformat(requests[-1].json()["before"])
    assert timedelta(0) <= datetime.now(UTC) - timedelta(days=10) - before < timedelta(minutes=1)
    assert caplog.messages[-1] == f"Removed rows older than {before.isoformat()}: 7 of log, 2 of dag_run"


def test_nothing_to_remove_is_said(server, monkeypatch, caplog):
    server.answer = {"deleted": {"log": 0}}
    with serving(server, monkeypatch):
        prune_metadata()
    assert caplog.messages[-1].endswith(": none")


def test_a_run_that_does_not_end_is_warned_of(server, monkeypatch, caplog):
    server.kept_since = "2025-01-01T00:00:00Z"
    with serving(server, monkeypatch):
        prune_metadata()
    assert "Rows are kept since 2025-01-01T00:00:00Z" in caplog.text


def test_for_ever_asks_nobody(server, monkeypatch, caplog):
    monkeypatch.setenv("RANKALPHA_KEEP_METADATA_DAYS", "0")
    with serving(server, monkeypatch) as requests:
        prune_metadata()
    assert requests == []
    assert caplog.messages == ["RANKALPHA_KEEP_METADATA_DAYS=0: all rows are kept"]


@pytest.mark.parametrize(
    ("key", "value", "status", "says"),
    [
        ("RANKALPHA_ADMIN_PASSWORD", "wr0ng-one", 200, "does not let 'rankalpha' in: 401"),
        ("RANKALPHA_ADMIN_PASSWORD", "sesame-17", 403, "Forbidden"),
        ("RANKALPHA_ADMIN_PASSWORD", "sesame-17", 404, "404"),
    ],
)
def test_a_refusal_does_not_heal_and_says_what_to_mend(server, monkeypatch, key, value, status, says):
    monkeypatch.setenv(key, value)
    server.status = status
    with serving(server, monkeypatch), pytest.raises(AirflowFailException) as caught:
        prune_metadata()
    assert says in str(caught.value)
    assert "RANKALPHA_ADMIN_USER and RANKALPHA_ADMIN_PASSWORD must be" in str(caught.value)
    assert value not in str(caught.value)


def test_a_servers_trouble_may_pass(server, monkeypatch):
    server.status = 500
    with serving(server, monkeypatch), pytest.raises(http.RequestException):
        prune_metadata()
