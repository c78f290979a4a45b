"""Publishes a batch that its contract has blocked, by a person's word: once, and on record."""

from typing import Any

from rankalpha.airflow_api import AirflowApi, AirflowApiError
from rankalpha.commands.rerun import Refused, check_key
from rankalpha.contract.quarantine import PUBLISH_ANYWAY, QUARANTINE, permission_problem
from rankalpha.pipeline.pipelines import Pipeline
from rankalpha.pipeline.steps import Step
from rankalpha.stages.output import PUBLISH

CONFLICT = 409


def publish_anyway(
    api: AirflowApi, pipeline: Pipeline, key: str, dataset: str, reason: str, by: str
) -> dict[str, Any]:
    """Have the newest blocked run of a batch publish it in `dataset`; return that run.

    The word stands as an XCom of the stage, for the next try of the task that publishes; then that task is
    cleared, with what follows it. Raises Refused, AirflowApiError or requests.RequestException.
    """
    step = _step(pipeline, dataset)
    check_key(key)
    if problem := permission_problem(by, reason):
        raise Refused(problem)
    task = f"publish_{step.output}"
    run_id, blocked_at = _blocked(api, step, task, key)
    path = f"dags/{step.dag_id}/dagRuns/{run_id}"
    run, last = api.get(path), api.get(f"{path}/taskInstances/{task}")
    _check(api, step, run, last, blocked_at, key)
    tasks = api.get(f"dags/{step.dag_id}/tasks")["tasks"]
    (stage,) = (one["task_id"] for one in tasks if task in one["downstream_task_ids"])
    word = {"by": by, "reason": reason.strip(), "try": last["try_number"] + 1}
    _set(api, f"{path}/taskInstances/{stage}/xcomEntries", word)
    what = {"dag_run_id": run_id, "task_ids": [task], "include_downstream": True}
    how = {"dry_run": False, "only_failed": False, "reset_dag_runs": True}
    api.post(f"dags/{step.dag_id}/clearTaskInstances", {**what, **how})
    return run


def _step(pipeline: Pipeline, dataset: str) -> Step:
    for step in pipeline.steps:
        if dataset in (step.output, step.writes):
            return step
    known = ", ".join(step.output for step in pipeline.steps)
    raise Refused(f"there is no dataset {dataset!r}; there are {known}")


def _blocked(api: AirflowApi, step: Step, task: str, key: str) -> tuple[str, str]:
    """Return the newest run that was blocked with the batch, and when; a run need not have it as its key."""
    found = f"dags/{step.dag_id}/dagRuns/~/taskInstances/{task}/xcomEntries"
    for entry in api.every(found, "xcom_entries", xcom_key=QUARANTINE, order_by="-timestamp"):
        one = f"dags/{step.dag_id}/dagRuns/{entry['run_id']}/taskInstances/{task}/xcomEntries/{QUARANTINE}"
        if api.get(one)["value"]["batch"] == key:
            return entry["run_id"], entry["timestamp"]
    raise Refused(f"batch {key} is not blocked in {step.writes}: no run of {step.dag_id} holds it back")


def _check(
    api: AirflowApi, step: Step, run: dict[str, Any], last: dict[str, Any], since: str, key: str
) -> None:
    """Refuse what is not blocked any more, and what would not be published, or only later."""
    if last["state"] != "failed":
        raise Refused(f"batch {key} is not blocked: {last['task_id']} is {last['state'] or 'to run'}")
    if not (run["conf"] or {}).get(PUBLISH, True):
        raise Refused(f"run {run['dag_run_id']} was told to publish nothing; re-run the stage instead")
    if api.get(f"dags/{step.dag_id}")["is_paused"]:
        raise Refused(f"{step.dag_id} is paused, so it would wait; unpause it first")
    filters = {"partition_key_prefix_pattern": key, "start_date_gte": since}
    later = [one["dag_run_id"] for one in api.get(f"dags/{step.dag_id}/dagRuns", **filters)["dag_runs"]]
    events = api.every("assets/events", "asset_events", name_prefix_pattern=step.writes, timestamp_gte=since)
    later += [
        one["source_run_id"] for one in events if (one["name"], one["partition_key"]) == (step.writes, key)
    ]
    if later := [run_id for run_id in later if run_id != run["dag_run_id"]]:
        raise Refused(f"{step.dag_id} has made batch {key} again since it was blocked: run {later[0]}")


def _set(api: AirflowApi, path: str, word: dict[str, Any]) -> None:
    """Write the word, over one that has been used."""
    try:
        api.post(path, {"key": PUBLISH_ANYWAY, "value": word})
    except AirflowApiError as error:
        if error.status != CONFLICT:
            raise
        api.patch(f"{path}/{PUBLISH_ANYWAY}", {"value": word})
