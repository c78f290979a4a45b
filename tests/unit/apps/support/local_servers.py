"""Real servers on free loopback ports for the tests of the services."""

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import uvicorn
from fastapi import FastAPI

from apps.common.bounds import SERVER
from tests.support.waiting import wait_for
from tests.unit.apps.support.batch_files import ROOT
from tests.unit.apps.support.stage_process import environment

Answer = tuple[int, str | bytes] | tuple[int, str | bytes, dict[str, str]]


class Request:
    """One request that a local server has received."""

    def __init__(self, handler: BaseHTTPRequestHandler) -> None:
        self.path = handler.path
        self.headers = handler.headers
        self.body = handler.rfile.read(int(handler.headers.get("content-length", 0)))


@contextmanager
def local_server(answer: Callable[[Request], Answer]) -> Iterator[tuple[str, list[Request]]]:
    """Run an HTTP server on a free loopback port; give its address and the requests it has received."""
    received: list[Request] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            request = Request(self)
            received.append(request)
            status, body, headers = (*answer(request), {})[:3]
            body = body.encode() if isinstance(body, str) else body
            self.send_response(status)
            for name, value in {"content-length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_args: object) -> None:
            """Keep the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def served(app: FastAPI) -> Iterator[httpx.Client]:
    """Serve an app of this process with uvicorn on a free port; give a client for it."""
    config = uvicorn.Config(app, port=0, log_config=None, timeout_graceful_shutdown=1, **SERVER)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_for("uvicorn", lambda: server.started)
        port = server.servers[0].sockets[0].getsockname()[1]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()


def free_port() -> int:
    """Return a loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def service(name: str, log: Path, **settings: str) -> Iterator[str]:
    """Run apps/<name>/main.py on a free port until the block ends; it must end on SIGTERM."""
    port = free_port()
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, f"apps/{name}/main.py"],
            cwd=ROOT,
            env=environment(**{f"{name.upper()}_PORT": str(port)}, **settings),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for(f"{name}: {log}", lambda: answers(f"http://127.0.0.1:{port}/health"))
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=15)


def answers(address: str) -> bool:
    """Tell whether an address answers with 200."""
    try:
        return httpx.get(address, trust_env=False).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
