"""The operators' page served below a prefix, with an overview that a test writes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from rankalpha.contract.report import verdict
from rankalpha.pipeline.steps import DATASETS, SHAPE
from rankalpha.web.page.files import PageFiles
from tests.support.waiting import wait_for
from tests.unit.rankalpha.support.overview_sample import FOLLOWS, NAMES, NEEDS

PREFIX = "/prefix"  # a stack behind a reverse proxy
KEY = "2026-11-22T06:00:00"
STATES = (
    "done",
    "running",
    "queued",
    "paused",
    "failed",
    "waiting",
    "superseded",
    "unpublished",
    "lost",
    "blocked",
)
OPTIONAL = tuple(step.name for step in SHAPE if step.optional)
MAIN = tuple(name for name in NAMES if name not in OPTIONAL)
SESSION = {"as_of": "2026-11-20", "newest": "2026-11-20", "behind": 0, "text": "Friday's close, 20 Nov"}
CONTAINER = {"image": "scorer:1", "digest": "sha256:0f", "name": "c-1", "seconds": 4.2}
CONTAINER |= {"cpu_seconds": 3.1, "peak_memory_bytes": 300 * 1024**2}


def check(name: str, severity: str = "block", passed: bool = True, value: Any = 1) -> dict[str, Any]:
    made = {"name": name, "value": value, "expected": "at least 1", "severity": severity, "passed": passed}
    return {**made, "verdict": verdict(made)}


def step(name: str, state: str = "done", **changed: Any) -> dict[str, Any]:
    dag_id = f"rankalpha_{'grading' if name == 'frontend' else name}"
    made = {"step": name, "dag_id": dag_id, "state": state, "since": f"{KEY}+00:00", "run_id": "r+1/ü"}
    made |= {"seconds": 4.2, "rows": 1234, "symbols": 20, "as_of": "2026-11-20", "checks": [check("rows")]}
    made |= {"needs": NEEDS.get(name, []), "follows": FOLLOWS.get(name, [])}
    made |= {"dataset": DATASETS.get(name), "published": f"{KEY}+00:00", "spent": None, "held": None}
    made |= {"reused_from": None, "optional": name in OPTIONAL}
    return {**made, "container": CONTAINER, "forced": None, **changed}


def held(**changed: Any) -> dict[str, Any]:
    """What a blocked step holds back, as `rankalpha.health.batch_overview` has it."""
    made = {"rows": 0, "symbols": None, "as_of": None, "spent": None, "container": None, "publishes": True}
    return {**made, "task": "publish_scores", "checks": [check("rows", passed=False, value=0)], **changed}


def batch(key: str, *states: str, aside: str = "done") -> dict[str, Any]:
    """A batch with the states of the steps that it waits for, by default all done, and of those `aside`."""
    of_main = dict(zip(MAIN, states or ["done"] * len(MAIN), strict=True))
    steps = [step(name, of_main.get(name, aside)) for name in NAMES]
    settled = set(of_main.values()) == {"done"}
    made = {"batch": key, "begun": f"{key}+00:00", "settled": settled, "where": "as it is", "steps": steps}
    made |= {"session": SESSION, "carried_over_from": None, "news": ""}
    return {**made, "grades": {"A": 3, "B": 5, "C": 6, "D": 4, "F": 2}}


def overview(*batches: dict[str, Any], **changed: Any) -> dict[str, Any]:
    dataset = {
        "name": "prices",
        "asset_id": 3,
        "step": "ingestion",
        "owner": "ann",
        "description": "Closing prices",
        "fresh_for_hours": 26.0,
    }
    dataset |= {"newest_batch": KEY, "published": f"{KEY}+00:00", "age_hours": 30.0, "stale": True}
    dataset |= {"session": SESSION, "stale_at": "2026-11-22T06:20:00+00:00"}
    may = {f"rankalpha_{name}": ["rerun", "publish"] for name in NAMES}
    made = {"now": "2026-11-22T06:30:00+00:00", "days": 3.0, "batches": list(batches), "datasets": [dataset]}
    made |= {"incidents": [{"key": "k", "subject": "it is wrong", "text": "mend it"}]}
    made |= {"components": {"scheduler": f"{KEY}+00:00", "triggerer": None}}
    made |= {"market": {"name": "default", "starts": "06:00 UTC", "ingestion": "rankalpha_ingestion"}}
    made |= {
        "ranking": "http://127.0.0.1:3000",
        "markets": ["default"],
        "variants": [],
        "session": {**SESSION, "current": True, "news": ""},
    }
    return {**made, "user": {"name": "ann", "rights": may}, **changed}


class PageServer:
    """Answers the page's requests with `answers` by path; what it has none for is refused with 404."""

    def __init__(self, url: str) -> None:
        self.root, self.url = url, f"{url}/rankalpha/page/"
        self.answers: dict[str, tuple[int, Any]] = {}
        self.asked: list[str] = []
        self.queries: list[str] = []


@contextmanager
def page_server() -> Iterator[PageServer]:
    app = FastAPI()
    app.mount(f"{PREFIX}/rankalpha/page", PageFiles())

    @app.api_route("/{path:path}", methods=["GET", "POST"])
    def answer(path: str, request: Request) -> JSONResponse:
        found.asked.append(f"/{path}")
        found.queries.append(request.url.query)
        status, body = found.answers.get(f"/{path}".removeprefix(PREFIX), (404, {"detail": "Not Found"}))
        return JSONResponse(body, status)

    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_for("uvicorn", lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    found = PageServer(f"http://127.0.0.1:{port}{PREFIX}")
    try:
        yield found
    finally:
        server.should_exit = True
        thread.join(10)
