"""Re-runs a batch, from one of its stages on, by new runs: nothing is cleared, and no history is lost."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Any

import requests

from rankalpha.airflow_api import AirflowApi, AirflowApiError
from rankalpha.pipeline.batch import BatchError, batch_of_run, key_of, parse_key
from rankalpha.pipeline.pipelines import Pipeline
from rankalpha.pipeline.steps import Step

SHOWN = 5


class Refused(Exception):
    """There is nothing to re-run; the message says why, and nothing was triggered."""


def batch_of_day(api: AirflowApi, day: str, pipeline: Pipeline, step: Step) -> tuple[str, Sequence[str]]:
    """Return the newest batch of a day (UTC), and the others; a day without one gets one by ingestion."""
    try:
        wanted = date.fromisoformat(day)
    except ValueError as error:
        raise Refused(f"{day!r} is no day; one looks like 2026-11-22") from error
    if wanted > datetime.now(UTC).date():
        raise Refused(f"{day} lies in the future")
    keys = [key for key in ingested(api, pipeline) if key.startswith(wanted.isoformat())]
    if keys:
        return keys[0], keys[1:]
    if step.dag_id != pipeline.ingestion:
        raise Refused(f"{day} has no batch to begin {step.name} with; leave --from out to ingest the day")
    midnight = datetime.combine(wanted, time.min, UTC)
    if (first := pipeline.market.first_of(midnight)) is None:
        raise Refused(f"{day} is a day without a batch by the schedule, {pipeline.market.when}")
    key = key_of(first)
    check_key(key)
    return key, []


def known_batch(api: AirflowApi, key: str, pipeline: Pipeline) -> str:
    """Return the batch of that key, if it was ever ingested."""
    check_key(key)
    if key not in (keys := ingested(api, pipeline)):
        newest = f"the newest are {', '.join(keys[:SHOWN])}" if keys else "there is none yet"
        raise Refused(f"batch {key} was never ingested; {newest}. A missed day is filled by --day {key[:10]}")
    return key


def ingested(api: AirflowApi, pipeline: Pipeline) -> list[str]:
    """Return the keys of all batches that were published in prices or that ingestion has a run of."""
    runs = api.every(f"dags/{pipeline.ingestion}/dagRuns", "dag_runs", order_by="-run_after")
    return sorted(
        {batch_of_run(run) for run in runs} | _published(api, pipeline.steps[0].writes), reverse=True
    )


def rerun(api: AirflowApi, key: str, step: Step, publish: bool) -> dict[str, Any]:
    """Trigger a new run of the step for the batch; return it."""
    if missing := [dataset for dataset in step.reads if key not in _published(api, dataset)]:
        raise Refused(f"batch {key} was never published in {' and '.join(missing)}: re-run what comes before")
    if api.get(f"dags/{step.dag_id}")["is_paused"]:
        raise Refused(f"{step.dag_id} is paused, so a run would wait; unpause it first")
    filters = {"partition_key_prefix_pattern": key, "state": ["queued", "running"]}
    if active := api.get(f"dags/{step.dag_id}/dagRuns", **filters)["dag_runs"]:
        raise Refused(f"{step.dag_id} has batch {key} in hand: run {active[0]['dag_run_id']}")
    note = f"re-run from {step.name}{'' if publish else ', publishing nothing'}"
    body = {"logical_date": None, "partition_key": key, "conf": {"publish": publish}, "note": note}
    return api.post(f"dags/{step.dag_id}/dagRuns", body)


def _published(api: AirflowApi, dataset: str) -> set[str]:
    events = api.every("assets/events", "asset_events", name_prefix_pattern=dataset)
    return {event["partition_key"] for event in events if event["name"] == dataset and event["partition_key"]}


def check_key(key: str) -> None:
    """Raise Refused for what is no batch key."""
    try:
        parse_key(key)
    except BatchError as error:
        raise Refused(str(error)) from error


REFUSALS = (Refused, AirflowApiError, requests.RequestException)
