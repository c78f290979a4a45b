"""The start-up trigger: wait for Airflow, and see to it that today has a batch."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import PurePath
from typing import Any, TypeVar

import requests
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from rankalpha.airflow_api import AirflowApi, AirflowApiError, is_held
from rankalpha.pipeline.batch import key_of
from rankalpha.pipeline.pipelines import Pipeline, pipelines
from rankalpha.pipeline.steps import DATASETS

READY_SECONDS = 300  # Airflow's components start within half a minute on a small machine
POLL_SECONDS = 1.0
SHOWN = 8  # names in a message
SCHEDULE_SECONDS = 60  # the scheduler creates a run that is due within seconds

T = TypeVar("T")


class NotReady(Exception):
    """Airflow cannot run the pipeline; the message says why and what to do."""


class Paused(Exception):
    """An operator has paused ingestion, and so wants no batch to start."""


def wait_for_airflow(api: AirflowApi) -> list[str]:
    """Return when every component is healthy and all markets' DAGs are parsed; NotReady says what is missing.

    A broken DAG file of the pipeline is reported at once: waiting does not mend it. Returned is what an
    operator should know all the same. The consumers are looked at first, for a batch that is published before
    they are parsed would be lost on them.
    """
    _wait(api, _unhealthy, READY_SECONDS)
    _wait(api, _unparsed, READY_SECONDS)
    _wait(api, _unwritten, READY_SECONDS)
    return _patiently(_remarks, api)


def trigger_dag(api: AirflowApi, pipeline: Pipeline) -> dict[str, Any]:
    """Return the ingestion run of the present day: an active one, a successful one, or else a new one.

    The day begins when the market's newest batch was due. A run that the scheduler is about to create is
    waited for. Safe to repeat, and to run twice at once: a day's new run has one id, until it has failed. An
    Airflow that does not answer is asked again for READY_SECONDS. Raises Paused.
    """
    return _patiently(partial(_run_of_today, pipeline), api)


def _patiently(ask: Callable[[AirflowApi], T], api: AirflowApi) -> T:
    """Ask again while Airflow, which may be restarting, does not answer; raises requests.RequestException."""
    asking = Retrying(
        retry=retry_if_exception_type(requests.RequestException),
        stop=stop_after_delay(READY_SECONDS),
        wait=wait_fixed(POLL_SECONDS),
        reraise=True,
    )
    answer: T = asking(ask, api)
    return answer


def _remarks(api: AirflowApi) -> list[str]:
    broken = [f"not of the pipeline, but broken: {said}" for _, said in _import_errors(api)]
    dags = _dags(api)
    paused = [dag_id for one in pipelines() for dag_id in one.consumers if is_held(dags[dag_id])]
    waits = "is paused: a batch will wait there until an operator unpauses it"
    return [*broken, *(f"{dag_id} {waits}" for dag_id in paused)]


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
    failed = len(_runs(api, ingestion, run_id_prefix_pattern=run_id, limit=100))
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


def _unhealthy(api: AirflowApi) -> str:
    health = api.get("monitor/health")
    bad = [name for name, state in health.items() if (state or {}).get("status") != "healthy"]
    return f"not healthy: {', '.join(bad)}" if bad else ""


def _unparsed(api: AirflowApi) -> str:
    steps = set(DATASETS)
    if broken := [said for step, said in _import_errors(api) if step in steps]:
        raise NotReady("; ".join(broken))
    parsed = _dags(api)
    missing = [dag_id for dag_id in _wanted() if dag_id not in parsed]
    more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
    return f"not parsed yet: {', '.join(missing[:SHOWN])}{more}" if missing else ""


def _unwritten(api: AirflowApi) -> str:
    """Airflow lists a DAG before it has written it down, and makes no run of it until then."""
    for dag_id in _wanted():
        try:
            api.get(f"dags/{dag_id}/details")
        except AirflowApiError as error:
            if error.status != requests.codes.not_found:
                raise
            return f"not parsed yet: {dag_id}"
    return ""


def _wanted() -> list[str]:
    return [dag_id for one in pipelines() for dag_id in (*one.consumers, one.ingestion)]


def _dags(api: AirflowApi) -> dict[str, dict[str, Any]]:
    return {dag["dag_id"]: dag for dag in api.every("dags", "dags", tags=["rankalpha"])}


def _import_errors(api: AirflowApi) -> list[tuple[str, str]]:
    """Return the broken DAG files: the step that ours would be of, and what is wrong."""
    return [
        (
            PurePath(error["filename"]).stem,
            f"{error['filename']}: {error['stack_trace'].strip().splitlines()[-1]}",
        )
        for error in api.every("importErrors", "import_errors")
    ]


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


def _wait_for_schedule(api: AirflowApi, ingestion: str) -> str:
    """Return when the next scheduled ingestion is due, once no run is overdue."""
    deadline = time.monotonic() + SCHEDULE_SECONDS
    while True:
        due = str(api.get(f"dags/{ingestion}")["next_dagrun_run_after"])
        if datetime.fromisoformat(due) > datetime.now(UTC) or time.monotonic() > deadline:
            return due
        time.sleep(POLL_SECONDS)


def _runs(api: AirflowApi, ingestion: str, **filters: Any) -> list[dict[str, Any]]:
    answer = api.get(f"dags/{ingestion}/dagRuns", **{"order_by": "-run_after", "limit": 1, **filters})
    found: list[dict[str, Any]] = answer["dag_runs"]
    return found
