"""Real HTTP servers on free loopback ports, in threads of the test's own process."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

# status, body, and headers if any; a body that is neither text nor bytes is sent as JSON
Answer = tuple[int, Any] | tuple[int, Any, Mapping[str, str]]


class Request:
    """One request that a local server has received."""

    def __init__(self, handler: BaseHTTPRequestHandler) -> None:
        self.method, self.target = handler.command, handler.path
        parts = urlsplit(handler.path)
        self.path, self.query = parts.path, parse_qs(parts.query)
        self.headers = handler.headers
        self.body = handler.rfile.read(int(handler.headers.get("content-length", 0)))

    def json(self) -> Any:
        return json.loads(self.body)


class QuietHandler(BaseHTTPRequestHandler):
    """Answers, and keeps the test's output clean."""

    def reply(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        """Send an answer; headers of its own go before those that follow from the body."""
        data = body if isinstance(body, str | bytes) else json.dumps(body)
        data = data.encode() if isinstance(data, str) else data
        self.send_response(status)
        for name, value in {"content-length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        with suppress(ConnectionError):  # the client has given up
            self.wfile.write(data)

    def log_message(self, *_args: object) -> None:
        """Print nothing."""


@contextmanager
def serving(server: ThreadingHTTPServer) -> Iterator[str]:
    """Serve until the block ends; give the address."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def local_server(
    answer: Callable[[Request], Answer], secured: ssl.SSLContext | None = None
) -> Iterator[tuple[str, list[Request]]]:
    """Run a server of HTTP or HTTPS on a free loopback port; give its address and the requests so far."""
    received: list[Request] = []

    class Handler(QuietHandler):
        def do_GET(self) -> None:
            request = Request(self)
            received.append(request)
            self.reply(*answer(request))

        do_DELETE = do_POST = do_PUT = do_GET  # noqa: N815

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if secured:
        server.socket = secured.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    with serving(server) as address:
        yield address, received
