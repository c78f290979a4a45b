"""Prefect with its own defaults in an environment of its own: a server, and a process serving the flow."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import requests
from docker import APIClient

from bench.batches import BATCH_SECONDS, Batch, Span, containers
from bench.report import say
from bench.stack import START_SECONDS, wait
from bench.work import SECONDS
from rankalpha.stack.embedded.ports import free_ports
from tests.support.checkout import ROOT

PACKAGES = ("prefect==3.9.1", "docker==7.2.0")
POLL_SECONDS = "1"  # its default of 10 would be most of what it adds to a batch as short as these
DEPLOYMENT = "batch/bench"  # the flow and its deployment in bench/flows
STOP_SECONDS = 10


class PrefectServer:
    """The server and the process that serves the flow, each with its log in the folder."""

    def __init__(self, folder: Path, python: Path) -> None:
        self.folder, self.python = folder, python
        self.port = str(free_ports(1)[0])
        self.url = f"http://127.0.0.1:{self.port}/api"
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start both; return when the flow can be run."""
        self._run("server", "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", self.port)
        wait(lambda: self._answers("health"), START_SECONDS)
        self._run("flow", str(ROOT / "bench/flows/batch.py"))
        wait(lambda: self._answers(f"deployments/name/{DEPLOYMENT}"), START_SECONDS)

    def _run(self, name: str, *arguments: str) -> None:
        env = {
            "PATH": os.pathsep.join([str(self.python.parent), os.environ["PATH"]]),
            "HOME": str(self.folder),
            "PYTHONPATH": str(ROOT),  # for `bench.work`
            "PREFECT_HOME": str(self.folder / "prefect"),
            "PREFECT_API_URL": self.url,
            "PREFECT_RUNNER_POLL_FREQUENCY": POLL_SECONDS,
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
        }
        with (self.folder / f"{name}.log").open("wb") as log:
            command = [self.python, *arguments]
            self.running.append(
                subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log, start_new_session=True)
            )

    def _answers(self, path: str) -> bool:
        with suppress(requests.RequestException):
            return requests.get(f"{self.url}/{path}", timeout=10).ok
        return False

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        answer = requests.post(f"{self.url}/{path}", json=body, timeout=10)
        answer.raise_for_status()
        return answer.json()

    def run_flow(self, began: float) -> tuple[Span, ...]:
        """Ask for a run of the flow; return its tasks' times once all have ended."""
        deployment = requests.get(f"{self.url}/deployments/name/{DEPLOYMENT}", timeout=10).json()["id"]
        run = self._post(f"deployments/{deployment}/create_flow_run", {})["id"]
        wait(lambda: len(self._ended(run)) == len(SECONDS), BATCH_SECONDS)
        return tuple(
            Span("task", task["name"], _unix(task["start_time"]) - began, _unix(task["end_time"]) - began)
            for task in self._ended(run)
        )

    def _ended(self, run: str) -> list[dict[str, Any]]:
        """Return the tasks of a run that have completed; the benchmark ends with one that has failed."""
        tasks = self._post("task_runs/filter", {"flow_runs": {"id": {"any_": [run]}}})
        if failed := [task["name"] for task in tasks if task["state_type"] in ("FAILED", "CRASHED")]:
            raise SystemExit(f"{', '.join(failed)} of Prefect's flow has failed")
        return [task for task in tasks if task["state_type"] == "COMPLETED"]

    def end(self) -> None:
        """Stop the flow's process, then the server."""
        for process in reversed(self.running):
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def by_prefect(engine: APIClient, server: PrefectServer) -> Batch:
    """Run the flow once, from the request to the server to the end of its last task."""
    began = time.time()
    spans = server.run_flow(began)
    return Batch(max(span.end for span in spans), (*spans, *containers(engine, began)))


def _unix(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def _install(folder: Path) -> Path | None:
    """Make Prefect's environment; return its Python, None if it cannot be made."""
    uv, python = Path(sys.executable).with_name("uv"), folder / "bin/python"
    for command in (
        [uv, "venv", "--quiet", "--python", sys.executable, folder],
        [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", python, *PACKAGES],
    ):
        done = subprocess.run(
            command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        if done.returncode:
            say(f"Prefect is left out, because it cannot be installed: {done.stdout.strip()}")
            return None
    return python


@contextmanager
def prefect() -> Iterator[PrefectServer | None]:
    """Run Prefect; yield nothing when it cannot be installed."""
    with tempfile.TemporaryDirectory(prefix="rankalpha-bench-", ignore_cleanup_errors=True) as folder:
        say("Installing Prefect")
        if not (python := _install(Path(folder, "venv"))):
            yield None
            return
        server = PrefectServer(Path(folder), python)
        try:
            say("Starting Prefect")
            server.start()
            yield server
        finally:
            server.end()
