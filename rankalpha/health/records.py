"""Concludes where a batch stands from Airflow's records of it: runs and events. No request is made here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from rankalpha.health.standing import FRONTEND, NEVER, Batch, Standing, State
from rankalpha.pipeline.pipelines import Pipeline
from rankalpha.pipeline.steps import Step


@dataclass(frozen=True)
class Records:
    """What Airflow has of a batch: its runs by DAG and its events by dataset, each oldest first.

    Runs and events are as the public API gives them. `superseded` holds by DAG when it left the batch out,
    `following` since when it follows its datasets.
    """

    runs: Mapping[str, Sequence[Mapping[str, Any]]]
    events: Mapping[str, Sequence[Mapping[str, Any]]]
    superseded: Mapping[str, datetime] = field(default_factory=dict)
    following: Mapping[str, datetime] = field(default_factory=dict)


def batch_of(
    pipeline: Pipeline, key: str, records: Records, paused: Sequence[str], draining: Sequence[str] = ()
) -> Batch:
    """Return where a pipeline's batch stands.

    `paused` are the ids of the paused DAGs, `draining` those of the DAGs that only end the runs they have.
    """
    makers = {step.writes: step for step in pipeline.steps}
    steps = {
        step.name: _described(_standing(step, makers, records, paused, draining), step, records)
        for step in pipeline.steps
    }
    steps[FRONTEND] = _frontend(pipeline.graded, records)
    runs = [run for of_dag in records.runs.values() for run in of_dag]
    started = [run for run in runs if run["run_type"] != "asset_triggered"] or runs
    begun = max((_moment(run["start_date"] or run["queued_at"]) for run in started), default=NEVER)
    return Batch(key, begun, steps)


def _standing(
    step: Step, makers: Mapping[str, Step], records: Records, paused: Sequence[str], draining: Sequence[str]
) -> Standing:
    run = _newest(records.runs, step.dag_id)
    if run and run["state"] == "running":
        queued = _moment(run["queued_at"])
        return Standing("running", _moment(run["start_date"]), run["dag_run_id"], queued=queued)
    if run and run["state"] == "queued":
        queued = _moment(run["queued_at"])
        state: State = "paused" if step.dag_id in paused else "queued"
        return Standing(state, queued, run["dag_run_id"], queued=queued)
    done = _newest(records.events, step.writes)
    inputs = [_newest(records.events, dataset) for dataset in step.reads]
    ready = max((_moment(event["timestamp"]) for event in inputs if event), default=NEVER)
    if run and run["state"] == "failed" and _counts(run, done, ready, whole=step.optional):
        return Standing("failed", _moment(run["end_date"]), run["dag_run_id"])
    if done and (step.scheduled or _moment(done["timestamp"]) >= ready):
        return Standing("done", _moment(done["timestamp"]), done["source_run_id"])
    outdated = (_outdated(makers[dataset], records) for dataset in step.reads)
    if None in inputs or not (step.reads or run) or any(outdated):
        return Standing("waiting")
    return _without_run(step, records, step.dag_id in {*paused, *draining}, ready)


def _outdated(step: Step, records: Records) -> bool:
    """Return whether an input of a step was published again after the step had read it."""
    event = records.events[step.writes][-1]
    runs = {run["dag_run_id"]: run for run in records.runs.get(step.dag_id, ())}
    # a run that was removed or cleared has no start
    began = runs.get(event["source_run_id"], {}).get("start_date") or event["timestamp"]
    read_at = min(_moment(began), _moment(event["timestamp"]))
    inputs = (_newest(records.events, dataset) for dataset in step.reads)
    return any(_moment(event["timestamp"]) > read_at for event in inputs if event)


def _described(standing: Standing, step: Step, records: Records) -> Standing:
    """Add the figures of the newest run and the newest event."""
    run, event = _newest(records.runs, step.dag_id) or {}, _newest(records.events, step.writes) or {}
    return replace(
        standing,
        seconds=run.get("duration"),
        published=_moment(event["timestamp"]) if event else None,
        extra=event.get("extra") or {},
        optional=step.optional,
    )


def _counts(run: Mapping[str, Any], done: Mapping[str, Any] | None, ready: datetime, *, whole: bool) -> bool:
    """Return whether a failure still counts: the run did not publish, and nothing was published since.

    One that is `whole` has failed although it has published, as no step after it says so.
    """
    if whole and done and done["source_run_id"] == run["dag_run_id"]:
        return True
    ended = _moment(run["end_date"] or run["queued_at"])  # one that never ran may have no end
    if done and (done["source_run_id"] == run["dag_run_id"] or _moment(done["timestamp"]) >= ended):
        return False
    return ended >= ready


def _without_run(step: Step, records: Records, held: bool, ready: datetime) -> Standing:
    """Return why a step whose inputs are there since `ready` has published nothing."""
    run = _newest(records.runs, step.dag_id)
    if run and run["state"] == "success" and _moment(run["start_date"]) >= ready:
        return Standing("unpublished", _moment(run["end_date"]), run["dag_run_id"])
    if records.superseded.get(step.dag_id, NEVER) >= ready:
        return Standing("superseded", records.superseded[step.dag_id])
    if step.scheduled or (step.optional and ready < records.following.get(step.dag_id, NEVER)):
        return Standing("skipped")
    return Standing("paused" if held else "lost", ready)


def _frontend(grading: Step, records: Records) -> Standing:
    """Return how the run ended that published the newest grades."""
    grades = _newest(records.events, grading.writes)
    if not grades:
        return Standing("waiting")
    runs = {run["dag_run_id"]: run for run in records.runs.get(grading.dag_id, ())}
    run = runs.get(grades["source_run_id"])
    if run is None or run["state"] == "success":  # a run that was removed had ended
        return Standing("done", _moment((run or {}).get("end_date") or grades["timestamp"]))
    state: State = "failed" if run["state"] == "failed" else "running"
    return Standing(state, _moment(run["end_date"] or run["start_date"]), run["dag_run_id"])


def _moment(text: str | None) -> datetime:
    return datetime.fromisoformat(text) if text else NEVER


def _newest(records: Mapping[str, Sequence[Mapping[str, Any]]], name: str) -> Mapping[str, Any] | None:
    return next(reversed(records.get(name, ())), None)
