"""The services on free loopback ports, served by the test's own process or as processes."""

import asyncio
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import uvicorn
from fastapi import FastAPI

from apps.common.bounds import SERVER
from tests.support.waiting import wait_for
from tests.unit.apps.support.batch_files import ROOT
from tests.unit.apps.support.stage_process import environment


class Server(uvicorn.Server):
    """Ends as soon as it is asked to."""

    async def main_loop(self) -> None:
        """See uvicorn, which looks ten times a second."""
        while not await self.on_tick(0):  # noqa: ASYNC110  another thread asks
            await asyncio.sleep(0.005)


@contextmanager
def served(app: FastAPI) -> Iterator[httpx.Client]:
    """Serve an app of this process with uvicorn on a free port; give a client for it."""
    config = uvicorn.Config(app, port=0, log_config=None, timeout_graceful_shutdown=1, **SERVER)
    server = Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_for("uvicorn", lambda: server.started)
        port = server.servers[0].sockets[0].getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        # plain HTTP, and to read all authorities takes long
        with httpx.Client(base_url=url, trust_env=False, verify=False, timeout=60) as client:
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
        return httpx.get(address, trust_env=False, verify=False).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
