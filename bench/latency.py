"""Part `latency`: what orchestration adds to a batch, on an embedded stack whose stages do nothing."""

import time
from datetime import UTC, datetime
from typing import Any

from bench.report import Figure, say
from bench.stack import OWN_DAGS, noop, ours, wait, wait_for_dags
from rankalpha.batch import key_of
from rankalpha.pipeline import GRADING_DAG, INGESTION_DAG, PIPELINE, STEPS
from tests.support.services import FRONTEND, RecordingServices
from tests.support.stack import RunningStack

RUNS = 7
WAIT_SECONDS = 300  # for one batch


def measure() -> list[Figure]:
    """Run RUNS batches one after another, then look at when their events and runs were."""
    services = RecordingServices()
    try:
        with ours(OWN_DAGS, env=noop(services.url)) as stack:
            wait_for_dags(stack, *PIPELINE)
            _batch(stack, services)  # the first pays for imports and caches
            batches = dict(_batch(stack, services) for _ in range(RUNS))
            return [
                Figure.of("trigger to frontend refresh", "s", batches.values()),
                *_gaps(stack, set(batches)),
                *_task_times(stack, set(batches)),
            ]
    finally:
        services.close()


def _batch(stack: RunningStack, services: RecordingServices) -> tuple[str, float]:
    """Run one batch to its end; return its key and the seconds until the frontend was told."""
    batch = key_of(datetime.now(UTC))
    start = time.monotonic()
    stack.trigger(INGESTION_DAG, batch)
    wait(lambda: batch in services.asked(FRONTEND), WAIT_SECONDS, 0.01)
    took = time.monotonic() - start
    graded = {"dag_id": GRADING_DAG, "state": ["success"]}
    wait(lambda: batch in _times(stack.runs(**graded), "end_date"), WAIT_SECONDS)
    say(f"Batch {batch}: {took:.2f} s until the frontend was told")
    return batch, took


def _gaps(stack: RunningStack, batches: set[str]) -> list[Figure]:
    """Return how long after the last event that it waits for each consumer's run started."""
    events = {asset: _times(stack.events(asset), "timestamp") for asset in ("prices", "scores", "sentiment")}
    gaps = []
    for step in STEPS[1:]:
        started = _times(stack.runs(step.dag_id), "start_date")
        due = {batch: max(events[asset][batch] for asset in step.reads) for batch in batches}
        seconds = [_seconds(due[batch], started[batch]) for batch in batches]
        gaps.append(Figure.of(f"event to start of {step.dag_id}", "s", seconds))
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
