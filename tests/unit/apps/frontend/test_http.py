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
from apps.frontend.files import version_of
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


@pytest.mark.parametrize(
    "path",
    [
        "batches",
        "markets",
        "changes",
        "record",
        "sparklines",
        "symbols/XOM",
        "symbols/BRK.B",
        "symbols/A%20B/history",
    ],
)
def test_what_readers_ask_for_is_passed_on(path: str) -> None:
    with local_server(lambda _: (200, "[1]")) as (url, received):  # noqa: SIM117
        with served(create_app(Settings(api_url=url))) as client:
            got = client.get(f"/api/grading/{path}", params={"market": "nyse", "from": KEY})
    assert (got.status_code, got.json()) == (200, [1])
    assert [request.path for request in received] == [f"/api/v1/grading/{path}"]
    assert received[0].query == {"market": ["nyse"], "from": [KEY]}


@pytest.mark.parametrize(
    "path",
    [
        "refresh",
        "publish",
        "history/rebuild",
        "symbols",
        "symbols/",
        "symbols/%2E%2E",
        "symbols/%2E%2E/history",
        "symbols/a%2F..%2F..%2Frefresh",
        "batches/",
        "batches%3Fx",
        "%2E%2E/%2E%2E/verify",
    ],
)
def test_nothing_else_is_passed_on(path: str) -> None:
    with local_server(lambda _: (200, "[]")) as (url, received):  # noqa: SIM117
        with served(create_app(Settings(api_url=url))) as client:
            got = client.get(f"/api/grading/{path}")
            posted = client.post("/api/grading/batches")
    assert (got.status_code, posted.status_code) == (404, 405)
    assert received == []


def test_a_browser_is_not_sent_what_it_has() -> None:
    def tagged(request: Request) -> Answer:
        if request.headers.get("if-none-match") == 'W/"a"':
            return 304, "", {"etag": 'W/"a"'}
        return 200, "[]", {"etag": 'W/"a"'}

    with local_server(tagged) as (url, _), served(create_app(Settings(api_url=url))) as client:
        first = client.get("/api/grading/batches")
        second = client.get("/api/grading/batches", headers={"If-None-Match": first.headers["etag"]})
    assert first.headers["cache-control"] == "no-cache"
    assert (second.status_code, second.content, second.headers["etag"]) == (304, b"", 'W/"a"')


def test_a_large_answer_is_fetched_again_only_when_it_is_another() -> None:
    now = {"tag": 'W/"a"', "body": json.dumps(["a"] * 1000)}

    def tagged(request: Request) -> Answer:
        same = request.headers.get("if-none-match") == now["tag"]
        return (304 if same else 200), "" if same else now["body"], {"etag": now["tag"]}

    with local_server(tagged) as (url, received), served(create_app(Settings(api_url=url))) as client:
        answers = [client.get("/api/grading/changes", params={"limit": 9}) for _ in range(2)]
        plain = client.get("/api/grading/changes?limit=9", headers={"Accept-Encoding": "identity"})
        theirs = client.get("/api/grading/changes?limit=9", headers={"If-None-Match": now["tag"]})
        older = client.get("/api/grading/changes?limit=9", headers={"If-None-Match": 'W/"0"'})
        now |= {"tag": 'W/"b"', "body": json.dumps(["b"] * 1000)}
        newer = client.get("/api/grading/changes?limit=9", headers={"If-None-Match": 'W/"a"'})
    asked = [request.headers.get("if-none-match") for request in received]
    assert asked == [None, *['W/"a"'] * 5]
    for answer in (*answers, plain, older):
        assert (answer.json(), answer.headers["etag"]) == (["a"] * 1000, 'W/"a"')
    assert "content-encoding" not in plain.headers
    assert (theirs.status_code, theirs.content) == (304, b"")
    assert (newer.json()[0], newer.headers["etag"]) == ("b", 'W/"b"')


def test_only_some_answers_are_kept() -> None:
    def tagged(request: Request) -> Answer:
        return 200, json.dumps([request.target] * 1000), {"etag": 'W/"a"'}

    with local_server(tagged) as (url, _):
        app = create_app(Settings(api_url=url))
        with served(app) as client:
            for number in range(20):
                client.get("/api/grading/changes", params={"limit": number})
    assert [int(address.rpartition("=")[2]) for address in app.state.kept] == list(range(4, 20))


def test_large_answers_are_sent_compressed() -> None:
    body = json.dumps(["the same"] * 1000)
    with local_server(lambda _: (200, body)) as (url, _), served(create_app(Settings(api_url=url))) as client:
        got = client.get("/api/ranking")
    assert got.json() == json.loads(body)
    assert got.headers["content-encoding"] == "gzip"


def test_the_page_is_self_contained(lone: httpx.Client) -> None:
    page = lone.get("/")
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert page.headers["x-content-type-options"] == "nosniff"
    linked = re.findall(r'(?:href|src)="([^"]+)"', page.text)
    assert linked
    for address in linked:
        if address.startswith("/static/"):
            file = lone.get(address)
            assert (file.status_code, "immutable" in file.headers["cache-control"]) == (200, True)
        else:
            assert address in {"/", "/?view=record"}
    scripts = {Path(address).name for address in linked}
    assert {file.name for file in STATIC.iterdir()} - scripts == {"index.html"}
    for file in STATIC.iterdir():
        text = file.read_text().replace("http://www.w3.org/2000/svg", "")
        assert "http://" not in text
        assert "https://" not in text
        assert "innerHTML" not in text
    place = linked[0].rsplit("/", 1)[0]
    assert lone.get(f"{place}/../app.py").status_code == 404
    assert lone.get(f"{place}/%2e%2e/app.py").status_code == 404


def test_another_file_gives_the_files_another_address(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text("1")
    before = version_of(tmp_path)
    (tmp_path / "a.js").write_text("2")
    assert version_of(tmp_path) != before


def test_the_real_server_ends_although_a_page_listens(tmp_path: Path) -> None:
    with httpx.Client(trust_env=False) as client:
        with service("frontend", tmp_path / "log", API_URL=NOBODY) as url:
            stream = client.send(client.build_request("GET", f"{url}/api/events"), stream=True)
            lines = stream.iter_lines()
            assert next(lines).startswith(":")
            wait_for("the listener", lambda: client.post(f"{url}/api/refresh-data").json()["listeners"] == 1)
        stream.close()
