"""What the tests of the machinery share: a run's context, a stage, a local HTTP server."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import fields
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

from airflow.sdk import Asset
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

from rankalpha.pipeline.batch import BATCHES_KEY
from rankalpha.runners.identity import Identity
from rankalpha.stages.docker import DockerOptions, Volume
from rankalpha.stages.output import OUTPUT
from rankalpha.stages.stage import Stage, StageJob

KEY = "2025-11-20T06:00:00"
RESULT = {"rows": 3, "symbols": 2, "as_of": "2025-11-19"}
DOCKER = {field.name for field in fields(DockerOptions)}


class TaskInstance:
    """The part of a task instance that the operators use; keeps XComs in memory.

    `batch`, `result` and `container` are the output of the task before it, the rest its other XComs.
    """

    dag_id = "rankalpha_demo"
    task_id = "run_demo"
    run_id = "manual__1"
    map_index = -1
    try_number = 1
    max_tries = 3
    log_url = "http://airflow/log"

    def __init__(self, **xcoms: Any) -> None:
        output = {key: xcoms.pop(key) for key in ("batch", "result", "container") if key in xcoms}
        self.xcoms = {**xcoms, **({OUTPUT: output} if output else {})}
        self.asked: list[Any] = []

    @property
    def output(self) -> Any:
        """The output that the task has pushed."""
        return self.xcoms[OUTPUT]

    get_task_states = staticmethod(RuntimeTaskInstance.get_task_states)
    get_dr_count = staticmethod(RuntimeTaskInstance.get_dr_count)

    def xcom_push(self, key: str, value: Any) -> None:
        json.dumps(value)  # as Airflow does
        self.xcoms[key] = value

    def xcom_pull(self, task_ids: str, key: str) -> Any:
        self.asked.append(task_ids)
        return self.xcoms.get(key)


def published(**keys: list[str]) -> dict[Asset, dict[str, list[str]]]:
    """Return the state stores of datasets: for each name the batches that were published, if any."""
    return {
        Asset(name=name, uri=f"rankalpha://{name}"): {BATCHES_KEY: batches} if batches else {}
        for name, batches in keys.items()
    }


def context(key: str | None = KEY, ti: TaskInstance | None = None, **more: Any) -> Any:
    """Return a run's context; `key` is its partition key."""
    run = SimpleNamespace(
        partition_key=key,
        logical_date=None,
        run_after=datetime(2025, 11, 20, 6, tzinfo=UTC),
        run_type="manual",
    )
    return {"ti": ti or TaskInstance(), "dag_run": run, "asset_state_store": {}, **more}


def stage(**parts: Any) -> Stage:
    """Return a stage `demo`; `parts` are those of a Stage and of its DockerOptions."""
    defaults = {"name": "demo", "image": "demo:1", "command": "python main.py"}
    docker = {key: parts.pop(key) for key in DOCKER & parts.keys()}
    volumes = (Volume("prices_data", "/data/prices"),)
    options = DockerOptions(**{"volumes": volumes, **docker})
    return Stage(**{**defaults, "docker": options, **parts})


def job(
    command: str = "python main.py",
    env: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    **parts: Any,
) -> StageJob:
    """Return a job of stage `demo` as its runner gets it."""
    return StageJob(
        stage=stage(**parts),
        batch=KEY,
        image="demo:1",
        command=command,
        cpus=1.5,
        memory_bytes=512 * 1024 * 1024,
        tmp_bytes=256 * 1024 * 1024,
        pids=64,
        env={"RANKALPHA_BATCH": KEY, **(env or {})},
        labels=labels or {"rankalpha.dag": "rankalpha_demo"},
    )


def identity(**parts: Any) -> Identity:
    """Return the identity of the first try of stage `demo`."""
    task = {"dag": "rankalpha_demo", "task": "run_demo", "run": "manual__1", "map_index": -1}
    return Identity(**{"stage": "demo", "batch": KEY, **task, "group": 3, "try_number": 1, **parts})


class Request:
    """One request that a local server has received."""

    def __init__(self, handler: BaseHTTPRequestHandler) -> None:
        self.method = handler.command
        parts = urlsplit(handler.path)
        self.path, self.query = parts.path, parse_qs(parts.query)
        self.headers = handler.headers
        self.body = handler.rfile.read(int(handler.headers.get("content-length", 0)))

    def json(self) -> Any:
        return json.loads(self.body)


Answer = tuple[int, Any]  # status and body; what is not text is sent as JSON


@contextmanager
def local_server(answer: Callable[[Request], Answer]) -> Iterator[tuple[str, list[Request]]]:
    """Run an HTTP server on a free loopback port; give its address and the requests it has received."""
    received: list[Request] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            request = Request(self)
            received.append(request)
            status, body = answer(request)
            data = (body if isinstance(body, str) else json.dumps(body)).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            with suppress(ConnectionError):  # the client has given up
                self.wfile.write(data)

        do_POST = do_PUT = do_GET  # noqa: N815

        def log_message(self, *_args: object) -> None:
            """Keep the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
