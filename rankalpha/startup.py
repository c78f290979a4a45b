"""The start-up trigger: wait for Airflow, see to it that today has a batch, follow it to its grades."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from rankalpha.airflow_api import AirflowApi
from rankalpha.batch import key_of
from rankalpha.progress import Progress

INGESTION_DAG = "rankalpha_ingestion"
CONSUMER_DAGS = ("rankalpha_scoring", "rankalpha_sentiment", "rankalpha_grading")
PIPELINE = (INGESTION_DAG, *CONSUMER_DAGS)

READY_SECONDS = 300  # Airflow's components start within half a minute on a small machine
BATCH_SECONDS = 3 * 3600
POLL_SECONDS = 1.0
SCHEDULE_SECONDS = 60  # the scheduler creates a run that is due within seconds


class NotReady(Exception):
    """Airflow cannot run the pipeline; the message says why and what to do."""


def wait_for_airflow(api: AirflowApi) -> None:
    """Return when every component is healthy and all four DAGs are parsed; NotReady says what is missing.

    A broken or paused DAG is reported at once: waiting does not mend it. The consumers are looked at first,
    for a batch that is published before they are ready would be lost on them.
    """
    _wait(api, _unhealthy, READY_SECONDS)
    _wait(api, _unparsed, READY_SECONDS)
    for dag_id in (*CONSUMER_DAGS, INGESTION_DAG):
        if api.get(f"dags/{dag_id}")["is_paused"]:
            raise NotReady(
                f"{dag_id} is paused, so a batch would stop there; unpause it in the UI, then start again"
            )


def trigger_dag(api: AirflowApi) -> dict[str, Any]:
    """Return the ingestion run of the present day: an active one, a successful one, or else a new one.

    The day begins at the newest 06:00 UTC. A run that the scheduler is about to create is waited for.
    """
    active = _runs(api, state=["running", "queued"])
    if active:
        return active[0]
    due = datetime.fromisoformat(_wait_for_schedule(api))
    today = _runs(
        api, run_after_gte=(due - timedelta(days=1)).isoformat(), state=["running", "queued", "success"]
    )
    if today:
        return today[0]
    now = datetime.now(UTC)
    return api.post(
        f"dags/{INGESTION_DAG}/dagRuns",
        {"logical_date": None, "partition_key": key_of(now), "note": "start-up trigger"},
    )


def monitor_execution(api: AirflowApi, run: dict[str, Any]) -> bool:
    """Print the batch's progress until it is graded and the frontend is notified; tell whether it was."""
    batch = batch_of_run(run)
    progress = Progress(batch)
    deadline = time.monotonic() + BATCH_SECONDS
    while time.monotonic() < deadline:
        try:
            runs = {INGESTION_DAG: api.get(f"dags/{INGESTION_DAG}/dagRuns/{run['dag_run_id']}")}
            runs |= {
                dag: found
                for dag in CONSUMER_DAGS
                if (found := _run_of_batch(api, dag, batch, since=run["run_after"]))
            }
            for dag_id, one in runs.items():
                tasks = api.get(f"dags/{dag_id}/dagRuns/{one['dag_run_id']}/taskInstances")
                progress.show(dag_id, tasks["task_instances"])
        except requests.RequestException as error:
            progress.say(f"Airflow does not answer, asking again: {type(error).__name__}")
            time.sleep(POLL_SECONDS)
            continue
        failed = [dag_id for dag_id, one in runs.items() if one["state"] == "failed"]
        if failed:
            progress.say(
                f"Failed: {', '.join(failed)}. Its page in the Airflow UI shows the log and what to do."
            )
            return False
        if runs.get("rankalpha_grading", {}).get("state") == "success":
            progress.say(f"Batch {batch} is graded and the frontend is notified.")
            return True
        time.sleep(POLL_SECONDS)
    progress.say(f"Batch {batch} was not graded within {BATCH_SECONDS // 60} minutes; giving up watching it.")
    return False


def batch_of_run(run: dict[str, Any]) -> str:
    """Return the batch of an ingestion run, as `rankalpha.batch.new_batch` makes it."""
    return run["partition_key"] or key_of(datetime.fromisoformat(run["logical_date"] or run["run_after"]))


def _unhealthy(api: AirflowApi) -> str:
    health = api.get("monitor/health")
    bad = [name for name, state in health.items() if (state or {}).get("status") != "healthy"]
    return f"not healthy: {', '.join(bad)}" if bad else ""


def _unparsed(api: AirflowApi) -> str:
    errors = api.get("importErrors")["import_errors"]
    if errors:
        raise NotReady(
            "; ".join(f"{e['filename']}: {e['stack_trace'].strip().splitlines()[-1]}" for e in errors)
        )
    parsed = {dag["dag_id"] for dag in api.get("dags", tags=["rankalpha"], limit=100)["dags"]}
    missing = [dag_id for dag_id in (*CONSUMER_DAGS, INGESTION_DAG) if dag_id not in parsed]
    return f"not parsed yet: {', '.join(missing)}" if missing else ""


def _wait(api: AirflowApi, problem: Callable[[AirflowApi], str], seconds: float) -> None:
    def look() -> str:
        try:
            return problem(api)
        except requests.RequestException as error:
            return f"Airflow does not answer at {api.url} ({type(error).__name__})"

    deadline = time.monotonic() + seconds
    while found := look():
        if time.monotonic() > deadline:
            raise NotReady(f"Airflow is not ready after {seconds:.0f} s: {found}")
        time.sleep(POLL_SECONDS)


def _wait_for_schedule(api: AirflowApi) -> str:
    """Return when the next scheduled ingestion is due, once no run is overdue."""
    deadline = time.monotonic() + SCHEDULE_SECONDS
    while True:
        due = str(api.get(f"dags/{INGESTION_DAG}")["next_dagrun_run_after"])
        if datetime.fromisoformat(due) > datetime.now(UTC) or time.monotonic() > deadline:
            return due
        time.sleep(POLL_SECONDS)


def _runs(api: AirflowApi, **filters: Any) -> list[dict[str, Any]]:
    answer = api.get(f"dags/{INGESTION_DAG}/dagRuns", order_by="-run_after", limit=1, **filters)
    found: list[dict[str, Any]] = answer["dag_runs"]
    return found


def _run_of_batch(api: AirflowApi, dag_id: str, batch: str, since: str) -> dict[str, Any] | None:
    """Return the newest run of a DAG for `batch` after `since`, when its ingestion was due."""
    filters = {"partition_key_prefix_pattern": batch, "run_after_gte": since}
    runs = api.get(f"dags/{dag_id}/dagRuns", **filters, order_by="-run_after", limit=1)
    return next(iter(runs["dag_runs"]), None)
