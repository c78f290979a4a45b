"""Follows a batch on the terminal, from one of its runs to the end of what that run starts."""

import time
from collections.abc import Sequence
from typing import Any, Literal

import requests

from rankalpha import remedy
from rankalpha.airflow_api import AirflowApi
from rankalpha.commands.progress_bar import Progress
from rankalpha.pipeline.batch import batch_of_run
from rankalpha.pipeline.pipelines import DEFAULT_PIPELINE, awaited, following, pipeline_of

BATCH_SECONDS = 3 * 3600
POLL_SECONDS = 1.0
HELD_SECONDS = 10.0  # an event becomes a run within a second or two

Outcome = Literal["done", "failed", "held"]
EXIT_STATUS: dict[Outcome, int] = {"done": 0, "failed": 1, "held": 3}
Runs = dict[str, dict[str, Any]]


def monitor_execution(
    api: AirflowApi, run: dict[str, Any], downstream: bool = True, progress: Progress | None = None
) -> Outcome:
    """Show the batch's progress until the run and, with `downstream`, what it starts have ended.

    "held" is a batch that waits for a DAG that an operator has paused, and for nothing else.
    """
    pipeline = pipeline_of(run["dag_id"]) or DEFAULT_PIPELINE
    batch, named = batch_of_run(run), pipeline.market.named(batch_of_run(run))
    progress = progress or Progress(named)
    dags = awaited(run["dag_id"]) if downstream else ()
    last = dags[-1] if dags else run["dag_id"]
    deadline, quiet_since = time.monotonic() + BATCH_SECONDS, time.monotonic()
    while time.monotonic() < deadline:
        try:
            runs = _runs(api, run, dags, batch)
            for dag_id, current in runs.items():
                tasks = api.get(f"dags/{dag_id}/dagRuns/{current['dag_run_id']}/taskInstances")
                progress.show(dag_id, tasks["task_instances"])
            paused = [dag_id for dag_id in (run["dag_id"], *dags) if api.get(f"dags/{dag_id}")["is_paused"]]
        except requests.RequestException as error:
            progress.say(f"Airflow does not answer; asking again: {type(error).__name__}")
            time.sleep(POLL_SECONDS)
            continue
        if failed := [dag_id for dag_id, current in runs.items() if current["state"] == "failed"]:
            progress.say(
                f"Failed: {', '.join(failed)}. Its page in the Airflow UI shows the log and what to do."
            )
            return "failed"
        if runs.get(last, {}).get("state") == "success":
            graded = last == pipeline.grading and downstream
            progress.say(
                f"Batch {named} is {'graded and the frontend is notified' if graded else 'complete'}."
            )
            return "done"
        if not paused or _active(runs, paused):
            quiet_since = time.monotonic()
        elif time.monotonic() - quiet_since > HELD_SECONDS:
            progress.say(f"Batch {named} waits for {', '.join(paused)}, which an operator has paused.")
            return "held"
        time.sleep(POLL_SECONDS)
    progress.say(
        f"Batch {named} was not graded within {BATCH_SECONDS // 60} minutes; it is no longer followed here."
    )
    return "failed"


def show_what_follows(dag_id: str) -> None:
    """Print which DAGs start now that this one has published; optional ones if there are no others."""
    if dags := awaited(dag_id) or following(dag_id):
        start = "start by themselves" if len(dags) > 1 else "starts by itself"
        print(f"{', '.join(dags)} {start} now; `{remedy.command('health')}` shows how far the batch is.")


def _runs(api: AirflowApi, run: dict[str, Any], dags: Sequence[str], batch: str) -> Runs:
    """Return the run itself and the newest runs since then of the DAGs after it."""
    runs = {run["dag_id"]: api.get(f"dags/{run['dag_id']}/dagRuns/{run['dag_run_id']}")}
    for dag_id in dags:
        if newest := _run_of_batch(api, dag_id, batch, since=run["run_after"]):
            runs[dag_id] = newest
    return runs


def _active(runs: Runs, paused: Sequence[str]) -> bool:
    return any(
        run["state"] == "running" or (run["state"] == "queued" and dag_id not in paused)
        for dag_id, run in runs.items()
    )


def _run_of_batch(api: AirflowApi, dag_id: str, batch: str, since: str) -> dict[str, Any] | None:
    """Return the newest run of a DAG for `batch` after `since`, when its ingestion was due."""
    filters = {"partition_key_prefix_pattern": batch, "run_after_gte": since}
    runs = api.get(f"dags/{dag_id}/dagRuns", **filters, order_by="-run_after", limit=1)
    return next(iter(runs["dag_runs"]), None)
