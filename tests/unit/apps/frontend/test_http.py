"""The frontend over HTTP: the proxy, the refresh signal, the page's headers."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote

import httpx
import pytest

from apps.frontend.app import create_app
from apps.frontend.settings import Settings
from tests.support.http_server import Answer, Request, local_server
from tests.support.waiting import wait_for
from tests.unit.apps.support.batch_files import KEY, ROOT
from tests.unit.apps.support.local_servers import served, service

STATIC = ROOT / "apps/frontend/static"
NOBODY = "http://127.0.0.1:1"


@pytest.fixture(scope="module")
def lone() -> Iterator[httpx.Client]:
    """A frontend whose API is down."""
    with served(create_app(Settings(api_url=NOBODY))) as client:
        yield client


@contextmanager
def listening(client: httpx.Client) -> Iterator[Iterator[str]]:
    """Open the event stream and give its lines, the first read so that the listening has begun."""
    with client.stream("GET", "/api/events", timeout=10) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = response.iter_lines()
        assert next(lines).startswith(":")
        yield lines


def refresh(client: httpx.Client, listeners: int, **body: str) -> None:
    """Signal until so many listen: a stream is open a moment before its listening begins."""
    wait_for(
        f"{listeners} listeners",
        lambda: client.post("/api/refresh-data", json=body).json()["listeners"] == listeners,
    )


def next_event(lines: Iterator[str]) -> tuple[str, object]:
    name = next(line for line in lines if line.startswith("event:"))
    return name.removeprefix("event: "), json.loads(next(lines).removeprefix("data: "))


def test_every_listener_gets_the_refresh_event(lone: httpx.Client) -> None:
    with listening(lone) as first, listening(lone) as second:
        refresh(lone, 2, batch=KEY)
        assert next_event(first) == ("refresh", {"batch": KEY})
        assert next_event(second) == ("refresh", {"batch": KEY})
    refresh(lone, 0)  # those who left are forgotten


@pytest.mark.parametrize("how", [{}, {"json": {}}, {"json": {"batch": None}}])
def test_refresh_without_a_batch(lone: httpx.Client, how: dict[str, object]) -> None:
    assert lone.post("/api/refresh-data", **how).json() == {
        "status": "refreshed",
        "batch": None,
        "listeners": 0,
    }


@pytest.mark.parametrize("batch", ["", "now", "../x", "2026-11-22T6:00:00", f"{KEY}\ndata: forged", 5])
def test_malformed_batches_are_refused(lone: httpx.Client, batch: object) -> None:
    assert lone.post("/api/refresh-data", json={"batch": batch}).status_code == 422
    assert lone.get("/api/ranking", params={"batch": str(batch)}).status_code == 422


def test_proxy_passes_on_grades_and_their_absence() -> None:
    def grades(request: Request) -> Answer:
        return (404, '{"detail": "no"}') if "batch=" in request.target else (200, '{"batch": "b"}')

    with local_server(grades) as (url, received), served(create_app(Settings(api_url=url))) as client:
        good, absent = client.get("/api/ranking"), client.get("/api/ranking", params={"batch": KEY})
    assert (good.status_code, good.json()) == (200, {"batch": "b"})
    assert (absent.status_code, absent.json()) == (404, {"detail": "no"})
    assert [unquote(request.target) for request in received] == [
        "/api/v1/grading/grades",
        f"/api/v1/grading/grades?batch={KEY}",
    ]


@pytest.mark.parametrize("answer", [(200, "<html>"), (500, '{"detail": "corrupt"}'), (503, "")])
def test_an_unwell_api_is_a_bad_gateway(answer: tuple[int, str]) -> None:
    with local_server(lambda _: answer) as (url, _), served(create_app(Settings(api_url=url))) as client:
        got = client.get("/api/ranking")
    assert got.status_code == 502
    assert got.json()["detail"]


def test_an_absent_api_is_a_bad_gateway_and_the_page_still_comes(lone: httpx.Client) -> None:
    got = lone.get("/api/ranking")
    assert (got.status_code, got.json()["detail"]) == (502, "the grading API does not answer (ConnectError)")
    assert lone.get("/").status_code == 200
    assert lone.get("/health").json() == {"status": "ok"}


def test_the_page_is_self_contained(lone: httpx.Client) -> None:
    page = lone.get("/")
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert page.headers["x-content-type-options"] == "nosniff"
    linked = re.findall(r'(?:href|src)="([^"]+)"', page.text)
    assert linked
    for address in linked:
        assert address.startswith("/static/")
        assert lone.get(address).status_code == 200
    for file in STATIC.iterdir():
        text = file.read_text().replace("http://www.w3.org/2000/svg", "")
        assert "http://" not in text
        assert "https://" not in text
        assert "innerHTML" not in text
    assert lone.get("/static/../app.py").status_code == 404
    assert lone.get("/static/%2e%2e/app.py").status_code == 404


def test_the_real_server_ends_although_a_page_listens(tmp_path: Path) -> None:
    with httpx.Client(trust_env=False) as client:
        with service("frontend", tmp_path / "log", API_URL=NOBODY) as url:
            stream = client.send(client.build_request("GET", f"{url}/api/events"), stream=True)
            lines = stream.iter_lines()
            assert next(lines).startswith(":")
            wait_for("the listener", lambda: client.post(f"{url}/api/refresh-data").json()["listeners"] == 1)
        stream.close()
