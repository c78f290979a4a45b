import logging
import threading
from types import SimpleNamespace

import pytest

from rankalpha.alerts import ping as module
from rankalpha.alerts.ping import ping
from tests.support.http_server import local_server
from tests.unit.rankalpha.support.task_context import context


@pytest.fixture(autouse=True)
def pauses(monkeypatch) -> list[float]:
    """The seconds between the attempts, which nobody waits for."""
    waited: list[float] = []
    monkeypatch.setattr("tenacity.nap.time", SimpleNamespace(sleep=waited.append))
    return waited


@pytest.fixture
def switch_on(monkeypatch, caplog):
    caplog.set_level(logging.DEBUG)

    def switch(url: str) -> None:
        monkeypatch.setenv("RANKALPHA_PING_URL", f"{url}/ping/5e1f-secret")

    return switch


def test_nobody_is_notified_unless_it_is_set(caplog):
    caplog.set_level(logging.DEBUG)
    ping(context())
    assert caplog.text == ""


def test_the_monitor_is_notified(switch_on, caplog):
    with local_server(lambda _request: (200, "OK")) as (url, requests):
        switch_on(url)
        ping(context())
    assert [(request.method, request.path) for request in requests] == [("GET", "/ping/5e1f-secret")]
    assert "Notified the monitor" in caplog.text


def test_another_attempt_follows(switch_on, pauses):
    answers = [(500, "oops"), (200, "OK")]
    with local_server(lambda _request: answers.pop(0)) as (url, _):
        switch_on(url)
        ping(context())
    assert answers == []
    assert pauses == [1]


def test_a_monitor_that_refuses_is_logged_without_its_address(switch_on, pauses, caplog):
    with local_server(lambda _request: (404, "unknown")) as (url, requests):
        switch_on(url)
        ping(context())
    assert len(requests) == 3
    assert pauses == [1, 1]
    assert "could not be notified (HTTPError: it answered 404)" in caplog.text
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("rankalpha")]
    assert "5e1f" not in "".join(ours)


def test_a_monitor_that_does_not_answer_holds_nothing_up(switch_on, monkeypatch, caplog):
    monkeypatch.setattr(module, "TIMEOUT", 0.2)

    given_up = threading.Event()

    def silent(_request):
        answered.append(given_up.wait(60))
        return 200, "late"

    answered = []
    with local_server(silent) as (url, requests):
        switch_on(url)
        ping(context())
        assert (len(requests), answered) == (3, [])
        given_up.set()
    assert "could not be notified (ReadTimeout: no answer)" in caplog.text
