"""The start-up trigger: wait for Airflow, ensure that today has a batch, and follow it until it is graded."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stderr
from datetime import UTC, datetime
from functools import partial
from typing import Any

import requests

from rankalpha.airflow_api import AirflowApi, AirflowApiError, admin_api, is_held
from rankalpha.commands.grades import show_grades
from rankalpha.commands.progress import EXIT_STATUS, Outcome, monitor_execution
from rankalpha.commands.readiness import POLL_SECONDS, patiently, wait_for_airflow
from rankalpha.commands.refusals import REFUSALS
from rankalpha.logs import bind_batch, configure, printed_is_logged
from rankalpha.pipeline.batch import batch_of_run, is_trial, key_of
from rankalpha.pipeline.pipelines import INGESTION_DAG, Pipeline, pipelines
from rankalpha.settings import LogSettings, settings

SCHEDULE_SECONDS = 60  # the scheduler creates a run that is due within seconds
SEEN = 100  # runs; a day has fewer that failed
NOT_READY = 2  # exit status
WORST: tuple[Outcome, ...] = ("failed", "held", "done")


class Paused(Exception):
    """An operator has paused ingestion, and so wants no batch to start."""


def startup(stay: bool) -> int:
    """Start and follow today's batches; return the exit status or, with `stay`, sleep."""
    status = _logged() if stay and LogSettings.load().json_logs else run_batch()
    if not stay:
        print(f"Airflow:  {settings().airflow_url}\nRanking:  {settings().frontend_url}")
    elif status != NOT_READY:
        os.execlp("sleep", "sleep", "infinity")  # noqa: S606  in place of this process: it takes no memory
    return status


def run_batch() -> int:
    """Follow today's batches until they are graded; return the exit status."""
    try:
        api = admin_api()
        print("Waiting for Airflow", flush=True)
        for remark in wait_for_airflow(api):
            print(remark, flush=True)
        runs, outcomes = _triggered(api)
        for pipeline, first in runs:
            for run in _until_today(api, pipeline, first):
                _say_if_scheduled(pipeline, run)
                bind_batch(batch_of_run(run))
                outcomes.append(monitor_execution(api, run))
    except REFUSALS as error:
        print(f"error: {error}", file=sys.stderr)
        return NOT_READY
    if set(outcomes) == {"done"} and [pipeline.ingestion for pipeline, _ in runs] == [INGESTION_DAG]:
        show_grades(settings().api_url, batch_of_run(run))
    return EXIT_STATUS[next((outcome for outcome in WORST if outcome in outcomes), "done")]


def _triggered(api: AirflowApi) -> tuple[list[tuple[Pipeline, dict[str, Any]]], list[Outcome]]:
    """Return the markets' ingestion runs, and "held" for each market whose ingestion is paused."""
    runs: list[tuple[Pipeline, dict[str, Any]]] = []
    held: list[Outcome] = []
    for pipeline in pipelines():
        try:
            runs.append((pipeline, trigger_dag(api, pipeline)))
        except Paused as paused:
            print(paused, flush=True)
            held.append("held")
    return runs, held


def _until_today(api: AirflowApi, pipeline: Pipeline, run: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a run and, once its batch was followed, those after it up to the present day's.

    After downtime Airflow starts the first batch that was due meanwhile, and then the newest one.
    """
    yield run
    while datetime.fromisoformat(run["run_after"]) < pipeline.market.due(datetime.now(UTC)):
        try:
            newer = trigger_dag(api, pipeline)
        except Paused as paused:
            print(paused, flush=True)
            return
        if newer["dag_run_id"] == run["dag_run_id"]:  # it has not ended, for it is held or takes too long
            return
        run = newer
        yield run


def _say_if_scheduled(pipeline: Pipeline, run: dict[str, Any]) -> None:
    if run["run_type"] == "scheduled":  # its time is another one than that of this start
        named = pipeline.market.named(batch_of_run(run))
        print(f"Airflow has started batch {named}, which was due by the schedule.", flush=True)


def _logged() -> int:
    configure()
    with printed_is_logged(), redirect_stderr(sys.stdout):
        return run_batch()


def trigger_dag(api: AirflowApi, pipeline: Pipeline) -> dict[str, Any]:
    """Return the ingestion run of the present day: an active one, a successful one, or else a new one.

    The day begins when the market's newest batch was due. A run that the scheduler is about to create is
    waited for. Safe to repeat, and to run twice at once: a day's new run has one id, until it has failed. An
    Airflow that does not answer is asked again for READY_SECONDS. Raises Paused.
    """
    return patiently(partial(_run_of_today, pipeline), api)


def _run_of_today(pipeline: Pipeline, api: AirflowApi) -> dict[str, Any]:
    ingestion = pipeline.ingestion
    if active := _runs(api, ingestion, state=["running", "queued"]):
        return active[0]
    day = pipeline.market.due(datetime.fromisoformat(_wait_for_schedule(api, ingestion)))
    if today := _runs(api, ingestion, run_after_gte=day.isoformat(), state=["running", "queued", "success"]):
        return today[0]
    if is_held(api.get(f"dags/{ingestion}")):
        raise Paused(f"{ingestion} is paused, so no batch is started; unpause it in the Airflow UI")
    run_id = f"startup__{day:%Y-%m-%d}"
    failed = len(_runs(api, ingestion, run_id_prefix_pattern=run_id))
    return _created(api, ingestion, f"{run_id}__{failed + 1}" if failed else run_id)


def _created(api: AirflowApi, ingestion: str, run_id: str) -> dict[str, Any]:
    """Return a new run of that id, or the one that somebody else has made meanwhile."""
    key = key_of(datetime.now(UTC))
    body = {"dag_run_id": run_id, "logical_date": None, "partition_key": key, "note": "start-up trigger"}
    try:
        return api.post(f"dags/{ingestion}/dagRuns", body)
    except AirflowApiError as error:
        if error.status != requests.codes.conflict:
            raise
        return api.get(f"dags/{ingestion}/dagRuns/{run_id}")


def _wait_for_schedule(api: AirflowApi, ingestion: str) -> str:
    """Return when the next scheduled ingestion is due, once no run is overdue."""
    deadline = time.monotonic() + SCHEDULE_SECONDS
    while True:
        due = str(api.get(f"dags/{ingestion}")["next_dagrun_run_after"])
        if datetime.fromisoformat(due) > datetime.now(UTC) or time.monotonic() > deadline:
            return due
        time.sleep(POLL_SECONDS)


def _runs(api: AirflowApi, ingestion: str, **filters: Any) -> list[dict[str, Any]]:
    """Return the runs that were due last, at most SEEN of them; none that is a trial."""
    answer = api.get(f"dags/{ingestion}/dagRuns", order_by="-run_after", limit=SEEN, **filters)
    return [run for run in answer["dag_runs"] if not is_trial(run)]
