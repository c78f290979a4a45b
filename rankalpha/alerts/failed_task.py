"""Describes a task that has failed for good: what went wrong, whether to act, and what to do."""

from typing import Any

from rankalpha.alerts.incident import Incident, Urgency, failure
from rankalpha.contract.contract import RESULT, failed
from rankalpha.contract.quarantine import QUARANTINE
from rankalpha.masking import masked
from rankalpha.pipeline.batch import key_of
from rankalpha.pipeline.market import DEFAULT_MARKET, Market
from rankalpha.pipeline.pipelines import Pipeline, pipeline_of
from rankalpha.pipeline.steps import FOLLOW_UPS
from rankalpha.remedy import command, recreate
from rankalpha.settings import settings
from rankalpha.texts import cut

NO_ERROR = "No error was reported: the process that ran the task was killed or lost."
QUOTED = 6_000  # characters of the error
CLEAR = (
    "Read the log, fix the cause, then clear the task. Running it again is safe, unless your own image adds "
    "rows each time."
)


def describe(context: Any) -> Incident:
    """Return the incident of the failed task of `context`."""
    ti = context["ti"]
    pipeline = pipeline_of(ti.dag_id)
    market = pipeline.market if pipeline else DEFAULT_MARKET
    batch, blocked = _batch(pipeline, context), _blocked(context)
    known = batch or (blocked or {}).get("batch")
    error = context.get("exception")
    lines = [
        f"Batch: {market.named(known) if known else 'not known yet'}",
        f"Run: {ti.run_id}, attempt {ti.try_number}",
        f"Error: {cut(masked(str(error)), QUOTED)}" if error else NO_ERROR,
        f"Log: {getattr(ti, 'log_url', None) or 'in the Airflow UI'}",
        f"Next: {_publish_anyway(blocked, ti.task_id, market) if blocked else CLEAR}",
    ]
    return Incident(
        failure(ti.dag_id, ti.run_id if pipeline else ti.task_id),
        f"publication blocked in {ti.dag_id}.{ti.task_id}" if blocked else f"{ti.dag_id}.{ti.task_id} failed",
        "\n".join(lines),
        Urgency.ACT_NOW if pipeline and ti.task_id not in FOLLOW_UPS else Urgency.LOOK_TODAY,
        batch,
        pipeline.market.name if pipeline else "",
    )


def _batch(pipeline: Pipeline | None, context: Any) -> str:
    """Return the batch of a run; an empty text for a run that takes the newest batch when it starts."""
    run = context["dag_run"]
    ingests = pipeline is not None and context["ti"].dag_id == pipeline.ingestion
    new_key = key_of(run.logical_date or run.run_after) if ingests else ""
    return str(run.partition_key or new_key)


def _blocked(context: Any) -> dict[str, Any] | None:
    """Return the result that a publishing task has refused; None when the task failed for another reason."""
    ti, task = context["ti"], context.get("task")
    refused = ti.xcom_pull(task_ids=ti.task_id, key=QUARANTINE) if task and task.outlets else None
    return dict(refused) if refused else None


def _publish_anyway(blocked: dict[str, Any], task_id: str, market: Market) -> str:
    dataset = task_id.removeprefix("publish_")
    market_option = ("--market", market.name) if market.folder else ()
    options = ("--batch", blocked["batch"], "--dataset", dataset, "--reason", "why it is right")
    silent = any(check["name"] == RESULT for check in failed(blocked.get("checks") or (), "block"))
    return (
        (_reports_nothing() if silent else "Fix the data, then clear the stage's task.")
        + "\nThe result was kept and not published. If it is right all the same, publish it anyway, on "
        "record: on the page RankAlpha, or by\n"
        f"  {command('publish-anyway', *market_option, *options)}"
    )


def _reports_nothing() -> str:
    """Return what to do when an image or API reports nothing, which those of others may."""
    return (
        "If your own image or API reports nothing, set RANKALPHA_REQUIRE_RESULT=false in "
        f"env/{settings().env}/airflow.env, apply it with `{recreate()}`, and clear this task. "
        "If it should have reported a result, fix it, then clear the stage's task."
    )
