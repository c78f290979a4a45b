"""What one sender, without a password, can do to the page and the API: nothing that others notice."""

import socket
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Event

import httpx
import pytest

from apps.api.app import create_app as api
from apps.api.settings import Settings as ApiSettings
from apps.common import bounds
from apps.frontend.app import create_app as page
from apps.frontend.settings import Settings as PageSettings
from tests.support.waiting import wait_for
from tests.unit.apps.support.local_servers import served, service

PAGE, API = "/api/refresh-data", "/api/v1/grading/refresh"
HALF = b"POST / HTTP/1.1\r\nHost: x\r\n"
MARKER = "sent-by-nobody"


@pytest.fixture(params=["page", "api"])
def client(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[httpx.Client]:
    app = page(PageSettings()) if request.param == "page" else api(ApiSettings(data_dir=tmp_path))
    with served(app) as client:
        client.refresh = PAGE if request.param == "page" else API
        yield client


@contextmanager
def connected(client: httpx.Client, sent: bytes = b"") -> Iterator[socket.socket]:
    with socket.create_connection((client.base_url.host, client.base_url.port), timeout=30) as connection:
        connection.sendall(sent)
        yield connection


def head(path: str, *headers: str) -> bytes:
    lines = (f"POST {path} HTTP/1.1", "Host: x", "Content-Type: application/json", *headers, "", "")
    return "\r\n".join(lines).encode()


def closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(65536) == b""
    except ConnectionResetError:
        return True


def test_a_large_body_is_refused_before_it_is_sent(client: httpx.Client) -> None:
    with connected(client, head(client.refresh, "Content-Length: 52428800")) as connection:
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("chunked", [False, True])
def test_a_sender_of_50_mb_reads_the_refusal_and_takes_no_memory(client: httpx.Client, chunked: bool) -> None:
    part = b'"' + MARKER.encode() * 8192 + b'"'
    parts = 50_000_000 // len(part)
    length = {} if chunked else {"content-length": str(parts * len(part))}
    tracemalloc.start()
    try:
        headers = {"content-type": "application/json", **length}
        answer = client.post(client.refresh, content=(part for _ in range(parts)), headers=headers)
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()
    assert answer.status_code == 413
    assert MARKER not in answer.text
    assert client.get("/health").status_code == 200


def test_the_largest_body_is_let_in_and_one_byte_more_is_not(client: httpx.Client) -> None:
    whole = b'{"batch": null, "x": "' + b"x" * (bounds.BODY_BYTES - 24) + b'"}'
    assert len(whole) == bounds.BODY_BYTES
    json = {"content-type": "application/json"}
    assert client.post(client.refresh, content=whole, headers=json).status_code in {200, 404}
    assert client.post(client.refresh, content=whole + b" ", headers=json).status_code == 413


@pytest.mark.parametrize(
    "body",
    [f'{{"batch": "{MARKER}"}}', f'"{MARKER}"', f'{{"batch": ["{MARKER}"]}}', f'{{"{MARKER}', "[" * 16000],
)
def test_what_was_sent_is_not_repeated(client: httpx.Client, body: str) -> None:
    answer = client.post(client.refresh, content=body, headers={"content-type": "application/json"})
    assert answer.status_code in {400, 422}
    assert MARKER not in answer.text
    assert len(answer.text) < 500


def test_queries_and_symbols_are_not_repeated(client: httpx.Client) -> None:
    for path in ("/api/ranking", "/api/v1/grading/grades", f"/api/v1/grading/grades/{MARKER}", API):
        for query in ({"batch": MARKER}, {"market": MARKER.upper()}, {}):
            assert MARKER not in client.get(path, params=query).text.lower()


def test_many_headers_are_refused(client: httpx.Client) -> None:
    many = {f"x-{number}": MARKER for number in range(bounds.HEADERS)}
    answer = client.get("/health", headers=many)
    assert answer.status_code == 431
    assert MARKER not in answer.text
    # whether all of it comes at once or in parts, which h11 does not wait for
    assert client.get("/health", headers={"x-long": "x" * bounds.HEAD_BYTES}).status_code in {400, 431}
    with connected(client, HALF) as connection:
        connection.sendall(b"x: " + b"x" * bounds.HEAD_BYTES)
        assert connection.recv(65536).startswith(b"HTTP/1.1 400 ")


def test_slow_senders_are_dropped(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "SEND_SECONDS", 0.2)
    body = head(client.refresh, "Content-Length: 100")
    done = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
    for sent in (b"", HALF, body, done + HALF, done + body):
        with connected(client, sent) as connection:
            begun = time.monotonic()
            while time.monotonic() < begun + 30:  # each byte is in time, but not the request
                time.sleep(0.05)
                try:
                    connection.send(b" " if sent else b"")
                except OSError:
                    break
                connection.settimeout(0.01)
                try:
                    if closed(connection):
                        break
                except TimeoutError:
                    pass
            else:
                pytest.fail(f"{sent!r} is still listened to")


def test_who_does_not_read_the_answer_is_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dropped, drop = Event(), bounds.BoundedProtocol._drop
    monkeypatch.setattr(bounds, "TAKE_SECONDS", 0.3)
    monkeypatch.setattr(bounds.BoundedProtocol, "_drop", lambda protocol: (drop(protocol), dropped.set()))
    app = page(PageSettings())
    app.get("/large")(lambda: "x" * 50_000_000)
    with served(app) as client, connected(client, b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n") as connection:
        wait_for("the reader to be dropped", dropped.is_set, seconds=60)
        taken = 0
        with suppress(ConnectionResetError):
            while part := connection.recv(65536):
                taken += len(part)
        assert taken < 50_000_000


def test_a_refused_sender_who_never_ends_is_dropped(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "LINGER_SECONDS", 0.3)
    with connected(client, head(client.refresh, "Content-Length: 50000000000")) as connection:

        def refused() -> bool:
            try:
                connection.send(b"x" * 4096)
            except OSError:
                return True
            return False

        wait_for("the connection to end", refused, seconds=30)


@pytest.mark.parametrize("name", ["api", "frontend"])
def test_readers_are_answered_beside_300_half_open_connections_and_a_slow_body(
    name: str, tmp_path: Path
) -> None:
    path = API if name == "api" else PAGE
    settings = {"RANKALPHA_DATA_DIR": str(tmp_path)} if name == "api" else {}
    with ExitStack() as stack:
        url = stack.enter_context(service(name, tmp_path / "log", **settings))
        address = httpx.URL(url)
        client = stack.enter_context(httpx.Client(base_url=url, trust_env=False, timeout=5))
        slow = stack.enter_context(connected(client, head(path, "Content-Length: 1000") + b"{"))
        for number in range(300):
            connection = stack.enter_context(connected(client, HALF if number % 2 else b""))
            if number % 10 == 0:
                slow.send(b" ")
        slow.settimeout(4)  # sooner than it would be dropped for being slow
        assert closed(slow)  # the oldest that owed something made room
        assert connection.fileno() > 0
        for _ in range(50):
            begun = time.monotonic()
            answer = httpx.get(f"http://{address.host}:{address.port}/health", trust_env=False, timeout=5)
            assert answer.status_code == 200
            assert time.monotonic() - begun < 5
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_open_pages_make_room_for_readers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "CONNECTIONS", 10)
    stream = b"GET /api/events HTTP/1.1\r\nHost: x\r\n\r\n"
    with served(page(PageSettings())) as client, ExitStack() as stack:
        pages = [stack.enter_context(connected(client, stream)) for _ in range(10)]
        for one in pages:
            assert one.recv(65536).startswith(b"HTTP/1.1 200")
        assert client.get("/health").status_code == 200
        wait_for("the oldest page to make room", lambda: closed(pages[0]), seconds=10)
