"""One batch by each contender: when its stages' containers ran, when its tasks did, and when it had ended."""

import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from docker import APIClient

from bench.stack import wait
from bench.work import CPUS, IMAGE, LABEL, MEMORY, PIDS, SECONDS, command
from tests.support.stack import Stack

BATCH_SECONDS = 120


@dataclass(frozen=True)
class Span:
    """A container or a task of a stage; seconds since the batch was triggered."""

    what: str
    stage: str
    start: float
    end: float


@dataclass(frozen=True)
class Batch:
    """How long a batch took, until its grades were there, and how long its runs waited after their events."""

    seconds: float
    spans: tuple[Span, ...]
    gaps: tuple[float, ...] = ()


def by_docker(engine: APIClient) -> Batch:
    """Run the containers and nothing else: the floor."""
    began = time.time()
    _docker_run("ingestion")
    with ThreadPoolExecutor() as both:
        list(both.map(_docker_run, ("scorer", "sentiment")))
    _docker_run("grading")
    took = time.time() - began
    return Batch(took, tuple(containers(engine, began)))


def _docker_run(stage: str) -> None:
    limits = [f"--cpus={CPUS}", f"--memory={MEMORY}", f"--pids-limit={PIDS}", f"--label={LABEL}={stage}"]
    script = command(SECONDS[stage]).removeprefix("sh -c '").removesuffix("'")
    subprocess.run(["docker", "run", "--rm", "--init", *limits, IMAGE, "sh", "-c", script], check=True)


def by_airflow(engine: APIClient, stack: Stack, dag_ids: Sequence[str]) -> Batch:
    """Trigger the first of the DAGs and wait for the last; those between run by their datasets."""
    began = time.time()
    stack.trigger(dag_ids[0])
    wait(lambda: _ended(_newest(stack, dag_ids[-1]), began), BATCH_SECONDS)
    runs = [_newest(stack, dag_id) for dag_id in dag_ids]
    tasks = [task for run in runs for task in stack.tasks(run["dag_id"], run["dag_run_id"]).values()]
    spans = [_span(task, began) for task in tasks]
    gaps = [gap for run in runs[1:] for gap in _gap(stack, run)]
    return Batch(max(span.end for span in spans), (*spans, *containers(engine, began)), tuple(gaps))


def _newest(stack: Stack, dag_id: str) -> dict[str, Any]:
    """Return the newest run of a DAG; an empty object without any."""
    return next(iter(stack.api.get(f"dags/{dag_id}/dagRuns", order_by="-id", limit=1)["dag_runs"]), {})


def _ended(run: dict[str, Any], began: float) -> bool:
    if not run or _unix(run["run_after"]) < began:
        return False
    if run["state"] == "failed":
        raise SystemExit(f"{run['dag_run_id']} of {run['dag_id']} has failed")
    return run["state"] == "success"


def _gap(stack: Stack, run: dict[str, Any]) -> Iterator[float]:
    """Yield the seconds from the last event that a run waited for to its start."""
    path = f"dags/{run['dag_id']}/dagRuns/{run['dag_run_id']}/upstreamAssetEvents"
    events = stack.api.get(path)["asset_events"]
    yield _unix(run["start_date"]) - max(_unix(event["timestamp"]) for event in events)


def _span(task: dict[str, Any], began: float) -> Span:
    return Span("task", task["task_id"], _unix(task["start_date"]) - began, _unix(task["end_date"]) - began)


def containers(engine: APIClient, began: float) -> Iterable[Span]:
    """Yield the stages' containers that ran since then, as the engine reports them."""
    filters = {"type": "container", "label": LABEL, "event": ["start", "die"]}
    started: dict[str, float] = {}
    for event in engine.events(since=int(began), until=int(time.time()) + 1, filters=filters, decode=True):
        seconds = event["timeNano"] / 1e9 - began
        if event["Action"] == "start" and seconds > 0:
            started[event["id"]] = seconds
        elif event["id"] in started:
            yield Span("container", event["Actor"]["Attributes"][LABEL], started[event["id"]], seconds)


def _unix(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
