"""What a failed run has left behind: the batch that it had found, and what its contract has blocked."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from rankalpha.airflow_api import AirflowApi, AirflowApiError
from rankalpha.contract.quarantine import QUARANTINE
from rankalpha.health.queries import ByBatch
from rankalpha.health.standing import Batch
from rankalpha.pipeline.pipelines import Pipeline
from rankalpha.stages.output import OUTPUT, PUBLISH

# the user may not read XComs, or it went meanwhile
UNSEEN = (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)


@dataclass(frozen=True)
class Left:
    """The `batch` is empty when the run has found none, `held` when nothing is blocked.

    `held` has `task`, the task that has refused to publish, its `checks`, the `result` and its `container`,
    and `publishes`: whether the run was started with publishing on.
    """

    batch: str = ""
    held: Mapping[str, Any] = field(default_factory=dict)


def left_by(api: AirflowApi, run: Mapping[str, Any]) -> Left:
    """Return what a failed run has left; it takes one request, and up to two more for what there is."""
    path = f"dags/{run['dag_id']}/dagRuns/{quote(run['dag_run_id'], safe='')}/taskInstances"
    listed = _seen(api, f"{path}/~/xcomEntries").get("xcom_entries", ())
    tasks = {entry["key"]: entry["task_id"] for entry in listed if entry["key"] in (QUARANTINE, OUTPUT)}
    values = {
        key: _seen(api, f"{path}/{task}/xcomEntries/{key}").get("value") or {} for key, task in tasks.items()
    }
    refused, output = values.get(QUARANTINE, {}), values.get(OUTPUT, {})
    batch = str(refused.get("batch") or output.get("batch") or "")
    if not refused or _seen(api, f"{path}/{tasks[QUARANTINE]}").get("state") != "failed":
        return Left(batch)  # not blocked, or by an attempt before the newest
    publishes = (run.get("conf") or {}).get(PUBLISH, True)
    return Left(batch, {**refused, "task": tasks[QUARANTINE], "publishes": publishes})


def with_held(api: AirflowApi, batch: Batch, pipeline: Pipeline, runs: ByBatch) -> Batch:
    """Return the batch with its failed steps marked as blocked where their contract has refused a result."""
    steps = dict(batch.steps)
    for step in pipeline.steps:
        standing = steps[step.name]
        if standing.state == "failed":
            of_batch = runs[step.dag_id][batch.key]
            run = next(run for run in of_batch if run["dag_run_id"] == standing.run_id)
            if held := left_by(api, run).held:
                steps[step.name] = replace(standing, state="blocked", held=held)
    return replace(batch, steps=steps)


def _seen(api: AirflowApi, path: str) -> dict[str, Any]:
    """Return what there is; an empty answer for what this user may not see, and for what is gone."""
    try:
        return api.get(path)
    except AirflowApiError as error:
        if error.status not in UNSEEN:
            raise
        return {}
