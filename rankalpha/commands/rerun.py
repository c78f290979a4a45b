"""Re-runs a batch, from one of its stages on, by new runs: nothing is cleared, and no history is lost."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from rankalpha.airflow_api import AirflowApi, admin_api
from rankalpha.commands.batches import check_key, ingested, known_batch, published
from rankalpha.commands.progress import EXIT_STATUS, monitor_execution
from rankalpha.commands.refusals import Refused
from rankalpha.pipeline.batch import key_of
from rankalpha.pipeline.pipelines import Pipeline, pipeline
from rankalpha.pipeline.steps import Step


def rerun_batch(key: str | None, day: str | None, start: str, downstream: bool, market: str | None) -> int:
    """Re-run a batch, or a day's newest, from the step `start` on; follow it and return the exit status.

    Raises a refusal.
    """
    api, of_market = admin_api(), pipeline(market)
    step = next(step for step in of_market.steps if step.name == start)
    if day is not None:
        batch, others = batch_of_day(api, day, of_market, step)
        if others:
            print(f"Taking {batch}, the newest batch of the day, and not {', '.join(others)}")
    else:
        batch = known_batch(api, str(key), of_market)
    run = rerun(api, batch, step, publish=downstream)
    print(f"{run['dag_id']}: run {run['dag_run_id']}", flush=True)
    return EXIT_STATUS[monitor_execution(api, run, downstream)]


def batch_of_day(api: AirflowApi, day: str, pipeline: Pipeline, step: Step) -> tuple[str, Sequence[str]]:
    """Return the newest batch of a day (UTC), and the others; a day without one gets one by ingestion."""
    try:
        wanted = date.fromisoformat(day)
    except ValueError as error:
        raise Refused(f"{day!r} is not a day; expected a date such as 2026-11-22") from error
    if wanted > datetime.now(UTC).date():
        raise Refused(f"{day} is in the future")
    keys = [key for key in ingested(api, pipeline) if key.startswith(wanted.isoformat())]
    if keys:
        return keys[0], keys[1:]
    if step.dag_id != pipeline.ingestion:
        raise Refused(f"{day} has no batch to start {step.name} with; leave --from out to ingest the day")
    midnight = datetime.combine(wanted, time.min, UTC)
    if (first := pipeline.market.first_of(midnight)) is None:
        raise Refused(f"{day} has no batch by the schedule, {pipeline.market.when}")
    key = key_of(first)
    check_key(key)
    return key, []


def rerun(api: AirflowApi, key: str, step: Step, publish: bool) -> dict[str, Any]:
    """Trigger a new run of the step for the batch; return it."""
    if missing := [dataset for dataset in step.reads if key not in published(api, dataset)]:
        raise Refused(
            f"batch {key} was never published in {' and '.join(missing)}: re-run the stages before it"
        )
    if api.get(f"dags/{step.dag_id}")["is_paused"]:
        raise Refused(f"{step.dag_id} is paused, so a run would wait; unpause it first")
    filters = {"partition_key_prefix_pattern": key, "state": ["queued", "running"]}
    if active := api.get(f"dags/{step.dag_id}/dagRuns", **filters)["dag_runs"]:
        raise Refused(f"{step.dag_id} is already processing batch {key} (run {active[0]['dag_run_id']})")
    note = f"re-run from {step.name}{'' if publish else ', publishing nothing'}"
    body = {"logical_date": None, "partition_key": key, "conf": {"publish": publish}, "note": note}
    return api.post(f"dags/{step.dag_id}/dagRuns", body)
