"""Describes a task that has failed for good: what went wrong, whether to act, and what to do."""

from collections.abc import Mapping
from typing import Any

from rankalpha.alerts.failed_run import CLEAR, FailedRun
from rankalpha.alerts.incident import Incident, failure
from rankalpha.alerts.runbook import Heading, leading_to
from rankalpha.contract.quarantine import QUARANTINE
from rankalpha.masking import masked
from rankalpha.pipeline.batch import BatchError, is_key, key_of
from rankalpha.pipeline.pipelines import Pipeline, pipeline_of
from rankalpha.pipeline.steps import FOLLOW_UPS
from rankalpha.stages.output import pull_output
from rankalpha.texts import cut

NO_ERROR = "No error was reported: the process that ran the task was killed or lost."
QUOTED = 6_000  # characters of the error
VERIFY = "verify_versions"  # the task of rankalpha_maintenance that compares published data with the disk
VERIFIED = (
    "If the error names changed files, re-run their batch or publish an earlier version of it again. "
    "Otherwise fix what kept the task from comparing them. Then clear it."
)


def describe(context: Any) -> Incident:
    """Return the incident of the failed task of `context`."""
    ti, error = context["ti"], context.get("exception")
    lines = [
        f"Run: {ti.run_id}, {ti.task_id}, attempt {ti.try_number}",
        f"Error: {cut(masked(str(error)), QUOTED)}" if error else NO_ERROR,
        f"Log: {getattr(ti, 'log_url', None) or 'in the Airflow UI'}",
    ]
    if pipeline := pipeline_of(ti.dag_id):
        run = _run(pipeline, context)
        batch = pipeline.market.named(run.batch) if run.batch else "not known"
        return run.incident(f"Batch: {batch}", *lines)
    verifies = ti.task_id == VERIFY
    heading, advice = (Heading.UNVERIFIED, VERIFIED) if verifies else (Heading.HOUSEKEEPING, CLEAR)
    return Incident(
        failure(ti.dag_id, ti.task_id),  # lasts for as long as the task fails in each run
        f"{ti.dag_id}.{ti.task_id} failed",
        leading_to(heading, *lines, f"Next: {advice}"),
        market="",
    )


def _run(pipeline: Pipeline, context: Any) -> FailedRun:
    ti, key = context["ti"], context["dag_run"].partition_key or ""
    blocked = _blocked(context)
    return FailedRun(
        pipeline=pipeline,
        dag_id=ti.dag_id,
        run_id=ti.run_id,
        batch=_batch(pipeline, context, blocked),
        key=key,
        blocked=blocked,
        follow_up=ti.task_id in FOLLOW_UPS,
    )


def _batch(pipeline: Pipeline, context: Any, blocked: Mapping[str, Any] | None) -> str:
    """Return the batch of a run; an empty text when it has found none, or its key is of none."""
    run, ti = context["dag_run"], context["ti"]
    if ti.dag_id == pipeline.ingestion:
        key = run.partition_key or key_of(run.logical_date or run.run_after)
        return str(key) if is_key(key) else ""
    if isinstance(getattr(context.get("exception"), "__cause__", None), BatchError):
        return ""
    return str(run.partition_key or (blocked or {}).get("batch") or _found(context) or "")


def _found(context: Any) -> str | None:
    """Return the batch that a run without a key has found when it started, as its tasks have left it."""
    ti, task = context["ti"], context.get("task")
    if task is None:
        return None
    before = sorted(task.get_flat_relative_ids(upstream=True))
    batches = (pull_output(ti, task_id)["batch"] for task_id in (ti.task_id, *before))
    return next(filter(None, batches), None)


def _blocked(context: Any) -> dict[str, Any] | None:
    """Return the result that a publishing task has refused; None when the task failed for another reason."""
    ti, task = context["ti"], context.get("task")
    refused = ti.xcom_pull(task_ids=ti.task_id, key=QUARANTINE) if task and task.outlets else None
    return dict(refused) if refused else None
