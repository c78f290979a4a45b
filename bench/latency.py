"""Part `latency`: what orchestration adds to a batch, on an embedded stack whose stages do nothing."""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.idle import figures
from bench.report import Figure, say
from rankalpha.batch import key_of
from rankalpha.pipeline import CONSUMER_DAGS, PIPELINE
from rankalpha.startup import wait_for_airflow
from tests.support.services import RecordingServices
from tests.support.stack import RunningStack

RUNS = 10
WAIT_SECONDS = 300  # for one batch
INPUTS = {
    "rankalpha_scoring": ["prices"],
    "rankalpha_sentiment": ["prices"],
    "rankalpha_grading": ["scores", "sentiment"],
}


def measure() -> list[Figure]:
    """Run RUNS batches one after another, then look at when their events and runs were."""
    services = RecordingServices()
    try:
        with _stack(services) as stack:
            _batch(stack, services)  # the first pays for imports and caches
            stack.settle()
            say("Watching the idle stack")
            idle = figures(stack.state)
            batches = dict(_batch(stack, services) for _ in range(RUNS))
            return [
                Figure.of("trigger to frontend refresh", "s", batches.values()),
                *_gaps(stack, set(batches)),
                *_task_times(stack, set(batches)),
                *idle,
            ]
    finally:
        services.close()


@contextmanager
def _stack(services: RecordingServices) -> Iterator[RunningStack]:
    """Run an embedded stack with stages that do nothing, and services that answer at once."""
    with tempfile.TemporaryDirectory(prefix="rankalpha-bench-") as folder:
        profile = Path(folder, "env", "local")
        profile.mkdir(parents=True)
        stage = "bench/noop_stage.py"
        (profile / "ingestion.env").write_text(f"INGESTION_COMMAND=python {stage} ingestion\n")
        (profile / "scorer.env").write_text(f"SCORER_COMMAND=python {stage} scorer\n")
        (profile / "sentiment.env").write_text(f"SENTIMENT_COMMAND=python ../../{stage} sentiment\n")
        (profile / "api.env").write_text(f"API_URL={services.url}\nFRONTEND_URL={services.url}\n")
        stack = RunningStack(Path(folder, "state"), RANKALPHA_ENV_DIR=str(profile.parent))
        try:
            say("Starting an embedded stack")
            if (started := stack.stack("start")).returncode:
                raise SystemExit(started.stdout)
            wait_for_airflow(stack.api)
            yield stack
        finally:
            stack.stack("clean")


def _batch(stack: RunningStack, services: RecordingServices) -> tuple[str, float]:
    """Run one batch to its end; return its key and the seconds until the frontend was told."""
    batch = key_of(datetime.now(UTC))
    start = time.monotonic()
    stack.trigger("rankalpha_ingestion", batch)
    _wait(lambda: batch in services.asked("/api/refresh-data"), 0.01)
    took = time.monotonic() - start
    _wait(lambda: batch in _times(stack.runs("rankalpha_grading", state=["success"]), "end_date"), 0.5)
    say(f"Batch {batch}: {took:.2f} s until the frontend was told")
    return batch, took


def _wait(done: Callable[[], bool], pause: float) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not done():
        if time.monotonic() > deadline:
            raise SystemExit(f"the batch did not end within {WAIT_SECONDS} s")
        time.sleep(pause)


def _gaps(stack: RunningStack, batches: set[str]) -> list[Figure]:
    """Return how long after the last event that it waits for each consumer's run started."""
    events = {asset: _times(stack.events(asset), "timestamp") for asset in ("prices", "scores", "sentiment")}
    gaps = []
    for dag_id in CONSUMER_DAGS:
        started = _times(stack.runs(dag_id), "start_date")
        due = {batch: max(events[asset][batch] for asset in INPUTS[dag_id]) for batch in batches}
        seconds = [_seconds(due[batch], started[batch]) for batch in batches]
        gaps.append(Figure.of(f"event to start of {dag_id}", "s", seconds))
    return gaps


def _task_times(stack: RunningStack, batches: set[str]) -> list[Figure]:
    """Return how long a task starts after its run or the task before it, and how long it then takes."""
    waits, durations = [], []
    for dag_id in PIPELINE:
        for run in stack.runs(dag_id):
            if run["partition_key"] in batches:
                path = f"dags/{dag_id}/dagRuns/{run['dag_run_id']}/taskInstances"
                tasks = stack.api.get(path, order_by="start_date")["task_instances"]
                ready = [run["start_date"], *(task["end_date"] for task in tasks)]
                waits += [_seconds(end, task["start_date"]) for end, task in zip(ready, tasks, strict=False)]
                durations += [task["duration"] for task in tasks]
    return [Figure.of("wait of a task", "s", waits), Figure.of("duration of a task", "s", durations)]


def _times(records: list[dict[str, Any]], key: str) -> dict[str, str]:
    return {record["partition_key"]: record[key] for record in records}


def _seconds(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
