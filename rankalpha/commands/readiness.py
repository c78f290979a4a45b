"""Waits until Airflow can run the pipeline."""

import time
from collections.abc import Callable
from pathlib import PurePath
from typing import Any, TypeVar

import requests
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from rankalpha.airflow_api import AirflowApi, AirflowApiError, is_held
from rankalpha.commands.refusals import Refused
from rankalpha.pipeline.pipelines import pipelines
from rankalpha.pipeline.steps import DATASETS

READY_SECONDS = 300  # Airflow's components start within half a minute on a small machine
POLL_SECONDS = 1.0
SHOWN = 8  # names in a message

T = TypeVar("T")


class NotReady(Refused):
    """Airflow cannot run the pipeline; the message says why and what to do."""


def wait_for_airflow(api: AirflowApi) -> list[str]:
    """Return when every component is healthy and all markets' DAGs are parsed; NotReady says what is missing.

    A broken DAG file of the pipeline is reported at once because waiting does not fix it. Returned is what an
    operator should know all the same. The consumers come first, because a batch that is published before they
    are parsed would be lost on them.
    """
    _wait(api, _unhealthy, READY_SECONDS)
    _wait(api, _unparsed, READY_SECONDS)
    _wait(api, _unwritten, READY_SECONDS)
    return patiently(_remarks, api)


def patiently(ask: Callable[[AirflowApi], T], api: AirflowApi) -> T:
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
    broken = [f"not of the pipeline, but broken: {message}" for _, message in _import_errors(api)]
    dags = _dags(api)
    awaited = [each for one in pipelines() for each in one.consumers if each not in one.optional]
    paused = [dag_id for dag_id in awaited if is_held(dags[dag_id])]
    waits = "is paused: a batch will wait there until an operator unpauses it"
    return [*broken, *(f"{dag_id} {waits}" for dag_id in paused)]


def _unhealthy(api: AirflowApi) -> str:
    health = api.get("monitor/health")
    bad = [name for name, state in health.items() if (state or {}).get("status") != "healthy"]
    return f"not healthy: {', '.join(bad)}" if bad else ""


def _unparsed(api: AirflowApi) -> str:
    steps = set(DATASETS)
    if broken := [message for step, message in _import_errors(api) if step in steps]:
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
    return [dag_id for pipeline in pipelines() for dag_id in (*pipeline.consumers, pipeline.ingestion)]


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
    def ask() -> str:
        try:
            return problem(api)
        except requests.RequestException as error:
            return f"Airflow does not answer at {api.url} ({type(error).__name__})"

    deadline = time.monotonic() + seconds
    while what := ask():
        if time.monotonic() > deadline:
            raise NotReady(f"Airflow is not ready after {seconds:.0f} s: {what}")
        time.sleep(POLL_SECONDS)
