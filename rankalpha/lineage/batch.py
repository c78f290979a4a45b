"""What one batch was made of, by Airflow's public API: runs, attempts, images, inputs, outputs."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from rankalpha.airflow_api import AirflowApi, AirflowApiError
from rankalpha.lineage.inputs import Events, inputs, reference, version_of
from rankalpha.pipeline.batch import BatchError, batch_of_run, is_trial, parse_key
from rankalpha.pipeline.pipelines import Pipeline
from rankalpha.pipeline.reuse import CARRIED_FROM, REUSED_FROM
from rankalpha.pipeline.sessions import MarketDay
from rankalpha.pipeline.steps import Step
from rankalpha.pipeline.versions import PATH, paths_of

RESULT = ("rows", "symbols", "as_of", "checksum", "checks", "container", "forced", "republished")
ORIGIN = (REUSED_FROM, CARRIED_FROM)


def batch_lineage(api: AirflowApi, key: str, pipeline: Pipeline) -> dict[str, Any]:
    """Return the lineage of a pipeline's batch of that key, JSON-ready; times are ISO 8601 in UTC.

    {"batch": key, "steps": [{"step", "dag_id", "runs": [{"run_id", "state", "triggered_by", "user", "note",
    "run_type", "started", "ended", "tries": [{"task_id", "try_number", "state", "started", "ended"}]}],
    "inputs": [{"dataset", "batch", "published", "checksum", "version"}], "output": {"dataset", "published",
    "run_id", "rows", "symbols", "as_of", "checksum", "checks", "container", "forced", "republished",
    "reused_from", "carried_over_from", "session", "version"} or None}]}

    Runs and their attempts (`tries`) are oldest first. Prices have the `session` that they are of, see
    `rankalpha.pipeline.sessions`. A `version` is {"path", "sha256"} or None. Inputs are
    those that the output records; without a record, the events of the run that published the output or, when
    no run did, of the newest run. Those of a version that is used again are of the batch that it was made
    for. Raises BatchError for a text that is not a key and for an unknown
    batch, else as AirflowApi does.
    """
    parse_key(key)
    events = {step.writes: events_of(api, step.writes, key) for step in pipeline.steps}
    known = _with_others(api, key, events)
    steps = [_step(api, key, step, events, known) for step in pipeline.steps]
    if not any(step["runs"] or step["output"] for step in steps):
        raise BatchError(f"nothing is known of batch {key}; the Assets view lists the batches that exist")
    return {"batch": key, "steps": steps}


def _with_others(api: AirflowApi, key: str, events: Events) -> Events:
    """Return the events with those of the batches whose versions this batch uses, which come first."""
    others = {
        str(path).split("/")[1]
        for of_dataset in events.values()
        for path in paths_of(version_of((of_dataset[-1]["extra"] or {}) if of_dataset else {}) or {}).values()
        if PATH.fullmatch(str(path))
    } - {key}
    older = [{name: events_of(api, name, other) for name in events} for other in sorted(others)]
    return {name: [*(event for each in older for event in each[name]), *own] for name, own in events.items()}


def _step(api: AirflowApi, key: str, step: Step, events: Events, known: Events) -> dict[str, Any]:
    runs = _runs(api, key, step, events)
    output = _output(events[step.writes])
    publisher = next((run for run in runs if output and run["dag_run_id"] == output["run_id"]), None)
    return {
        "step": step.name,
        "dag_id": step.dag_id,
        "runs": [_run(api, run) for run in runs],
        "inputs": inputs(api, step, publisher or (runs[-1] if runs else None), events, known),
        "output": output,
    }


def events_of(api: AirflowApi, dataset: str, key: str) -> list[dict[str, Any]]:
    """Return the events of a batch in a dataset, oldest first."""
    since = parse_key(key).isoformat()  # nothing is published in a batch before its time
    events = api.every(
        "assets/events",
        "asset_events",
        name_prefix_pattern=dataset,
        timestamp_gte=since,
        order_by="timestamp",
    )
    return [event for event in events if event["name"] == dataset and event["partition_key"] == key]


def _runs(api: AirflowApi, key: str, step: Step, events: Events) -> list[dict[str, Any]]:
    """Return the runs of a step for the batch, including runs that were triggered without its key."""
    path = f"dags/{step.dag_id}/dagRuns"
    listed = list(api.every(path, "dag_runs", partition_key_prefix_pattern=key, order_by="run_after"))
    runs = {run["dag_run_id"]: run for run in listed if run["partition_key"] == key}
    if not step.reads:  # ingestion
        runs |= {run["dag_run_id"]: run for run in _keyless(api, path, key)}
    own = (event for event in events[step.writes] if event["source_dag_id"] == step.dag_id)
    for run_id in {
        event["source_run_id"] for event in own
    } - runs.keys():  # such as a stage on the newest batch
        if run := existing_run(api, path, run_id):
            runs[run_id] = run
    return sorted(runs.values(), key=lambda run: str(run["run_after"]))


def _keyless(api: AirflowApi, path: str, key: str) -> Iterator[dict[str, Any]]:
    """Yield the runs of ingestion whose key was made from their own time."""
    begun = parse_key(key)
    until = begun + timedelta(seconds=1)
    for name in ("logical_date", "run_after"):
        second = {f"{name}_gte": begun.isoformat(), f"{name}_lt": until.isoformat()}
        listed = api.every(path, "dag_runs", order_by="run_after", **second)
        yield from (run for run in listed if batch_of_run(run) == key and not is_trial(run))


def existing_run(api: AirflowApi, path: str, run_id: str) -> dict[str, Any] | None:
    """Return a run; None when it was removed, because events are kept longer than runs."""
    try:
        return api.get(f"{path}/{run_id}")
    except AirflowApiError as error:
        if error.status == HTTPStatus.NOT_FOUND:
            return None
        raise


def _run(api: AirflowApi, run: Mapping[str, Any]) -> dict[str, Any]:
    path = f"dags/{run['dag_id']}/dagRuns/{run['dag_run_id']}/taskInstances"
    tasks = [task["task_id"] for task in api.every(path, "task_instances")]
    attempts = [one for task in tasks for one in api.get(f"{path}/{task}/tries")["task_instances"]]
    return {
        "run_id": run["dag_run_id"],
        "state": run["state"],
        "triggered_by": run["triggered_by"],
        "user": run["triggering_user_name"],
        "note": run["note"],
        "run_type": run["run_type"],
        "started": run["start_date"],
        "ended": run["end_date"],
        "tries": [
            {
                "task_id": attempt["task_id"],
                "try_number": attempt["try_number"],
                "state": attempt["state"],
                "started": attempt["start_date"],
                "ended": attempt["end_date"],
            }
            for attempt in sorted(attempts, key=lambda one: (one["start_date"] or "~", one["try_number"]))
        ],
    }


def _output(events: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    if not events:
        return None
    newest = events[-1]
    extra = newest["extra"] or {}
    source = {"dataset": newest["name"], "published": newest["timestamp"], "run_id": newest["source_run_id"]}
    figures = {name: extra.get(name) for name in (*RESULT, *ORIGIN)}
    version = reference(version_of(extra))
    day = MarketDay.of(extra)
    session = day.described(datetime.now(UTC)) if day and day.session else None
    return {**source, **figures, "checks": extra.get("checks") or [], "version": version, "session": session}
