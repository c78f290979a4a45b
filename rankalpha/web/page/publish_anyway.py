"""Publishes a batch that its contract has blocked because a person says so: once, and on record.

It asks Airflow's public API with that person's rights, so that Airflow decides, and keeps the audit log.
"""

from typing import Any

from rankalpha.airflow_api import AirflowApi, AirflowApiError
from rankalpha.contract.quarantine import PUBLISH_ANYWAY, QUARANTINE, permission_problem
from rankalpha.pipeline.batch import parse_key
from rankalpha.pipeline.steps import Step
from rankalpha.stages.output import PUBLISH

CONFLICT = 409


class NotBlocked(Exception):
    """There is nothing that could be published now; the message says why, and nothing was changed."""


def publish_anyway(api: AirflowApi, step: Step, key: str, reason: str, by: str) -> dict[str, Any]:
    """Have the newest blocked run of a batch publish it in the step's dataset; return that run.

    The permission is an XCom of the stage, for the next attempt of the task that publishes; then that task is
    cleared, with the tasks after it. Raises NotBlocked, BatchError, and as AirflowApi does.
    """
    parse_key(key)
    if problem := permission_problem(by, reason):
        raise NotBlocked(problem)
    task = f"publish_{step.output}"
    run_id, blocked_at = _blocked(api, step, task, key)
    path = f"dags/{step.dag_id}/dagRuns/{run_id}"
    run, last = api.get(path), api.get(f"{path}/taskInstances/{task}")
    _check(api, step, run, last, blocked_at, key)
    tasks = api.get(f"dags/{step.dag_id}/tasks")["tasks"]
    (stage,) = (each["task_id"] for each in tasks if task in each["downstream_task_ids"])
    permission = {"by": by, "reason": reason.strip(), "try": last["try_number"] + 1}
    _set(api, f"{path}/taskInstances/{stage}/xcomEntries", permission)
    cleared = {"dag_run_id": run_id, "task_ids": [task], "include_downstream": True}
    options = {"dry_run": False, "only_failed": False, "reset_dag_runs": True}
    api.post(f"dags/{step.dag_id}/clearTaskInstances", {**cleared, **options})
    return run


def _blocked(api: AirflowApi, step: Step, task: str, key: str) -> tuple[str, str]:
    """Return the newest run that was blocked with the batch, and when; a run need not have it as its key."""
    entries = f"dags/{step.dag_id}/dagRuns/~/taskInstances/{task}/xcomEntries"
    for entry in api.every(entries, "xcom_entries", xcom_key=QUARANTINE, order_by="-timestamp"):
        path = f"dags/{step.dag_id}/dagRuns/{entry['run_id']}/taskInstances/{task}/xcomEntries/{QUARANTINE}"
        if api.get(path)["value"]["batch"] == key:
            return entry["run_id"], entry["timestamp"]
    raise NotBlocked(f"batch {key} is not blocked in {step.writes}: no run of {step.dag_id} holds it back")


def _check(
    api: AirflowApi, step: Step, run: dict[str, Any], last: dict[str, Any], since: str, key: str
) -> None:
    """Refuse what is no longer blocked, and what would not be published, or only later."""
    if last["state"] != "failed":
        state = last["state"] or "about to run"
        raise NotBlocked(f"batch {key} is not blocked: {last['task_id']} is {state}")
    if not (run["conf"] or {}).get(PUBLISH, True):
        raise NotBlocked(f"run {run['dag_run_id']} was started with publishing off; re-run the stage instead")
    if api.get(f"dags/{step.dag_id}")["is_paused"]:
        raise NotBlocked(f"{step.dag_id} is paused, so the batch would wait; unpause it first")
    if later := [run_id for run_id in _made_since(api, step, since, key) if run_id != run["dag_run_id"]]:
        raise NotBlocked(f"{step.dag_id} has made batch {key} again since it was blocked: run {later[0]}")


def _made_since(api: AirflowApi, step: Step, since: str, key: str) -> list[str]:
    """Return the runs that have made the batch since then, by their key or by what they have published."""
    filters = {"partition_key_prefix_pattern": key, "start_date_gte": since}
    runs = api.get(f"dags/{step.dag_id}/dagRuns", **filters)["dag_runs"]
    events = api.every("assets/events", "asset_events", name_prefix_pattern=step.writes, timestamp_gte=since)
    of_batch = (event for event in events if (event["name"], event["partition_key"]) == (step.writes, key))
    return [run["dag_run_id"] for run in runs] + [event["source_run_id"] for event in of_batch]


def _set(api: AirflowApi, path: str, permission: dict[str, Any]) -> None:
    """Write the permission, over an earlier one that was used."""
    try:
        api.post(path, {"key": PUBLISH_ANYWAY, "value": permission})
    except AirflowApiError as error:
        if error.status != CONFLICT:
            raise
        api.patch(f"{path}/{PUBLISH_ANYWAY}", {"value": permission})
