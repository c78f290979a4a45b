"""Says of a task that has failed for good what was wrong, whether to act, and what to do."""

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

NO_ERROR = "none was reported: whatever ran the task was killed or lost"
QUOTED = 6_000  # characters of the error
MEND = (
    "read the log, mend the cause, then clear the task; running it again is safe, unless your own image adds "
    "rows each time."
)


def describe(context: Any) -> Incident:
    """Return the incident of the failed task of `context`."""
    ti = context["ti"]
    pipeline = pipeline_of(ti.dag_id)
    market = pipeline.market if pipeline else DEFAULT_MARKET
    batch, blocked = _batch(pipeline, context), _blocked(context)
    known = batch or (blocked or {}).get("batch")
    lines = [
        f"Batch: {market.named(known) if known else 'of this run'}",
        f"Run: {ti.run_id}, try {ti.try_number}",
        f"Error: {cut(masked(str(context.get('exception') or NO_ERROR)), QUOTED)}",
        f"Log: {getattr(ti, 'log_url', None) or 'in the Airflow UI'}",
        f"Next: {_publish_anyway(blocked, ti.task_id, market) if blocked else MEND}",
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
    """Return the batch of a run, an empty text for one that takes the newest when it starts."""
    run = context["dag_run"]
    ingests = pipeline is not None and context["ti"].dag_id == pipeline.ingestion
    made = key_of(run.logical_date or run.run_after) if ingests else ""
    return str(run.partition_key or made)


def _blocked(context: Any) -> dict[str, Any] | None:
    """Return what a publishing task has refused to publish."""
    ti, task = context["ti"], context.get("task")
    kept = ti.xcom_pull(task_ids=ti.task_id, key=QUARANTINE) if task and task.outlets else None
    return dict(kept) if kept else None


def _publish_anyway(blocked: dict[str, Any], task_id: str, market: Market) -> str:
    dataset = task_id.removeprefix("publish_")
    which = ("--market", market.name) if market.folder else ()
    what = ("--batch", blocked["batch"], "--dataset", dataset, "--reason", "why it is right")
    silent = any(check["name"] == RESULT for check in failed(blocked.get("checks") or (), "block"))
    return (
        (_reports_nothing() if silent else "")
        + "mend the data and clear the stage, whose result was kept and not published. If it is right all "
        "the same, publish it anyway, on record: on the page RankAlpha, or\n"
        f"  {command('publish-anyway', *which, *what)}"
    )


def _reports_nothing() -> str:
    """Return what to do when an image, or an API, that is not ours reports nothing, as it may."""
    return (
        "if your own image or API reports nothing, set RANKALPHA_REQUIRE_RESULT=false in "
        f"env/{settings().env}/airflow.env, apply it with `{recreate()}`, and clear this task. "
        "If it should have reported: "
    )
