"""Where a batch stands: what each step of the pipeline is in, and since when. Nothing is asked here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

from rankalpha.pipeline.pipelines import Pipeline
from rankalpha.pipeline.steps import Step

State = Literal[
    "done",
    "running",
    "queued",
    "paused",  # queued, or about to be, for a DAG that is paused
    "failed",
    "waiting",  # for the steps before it
    "superseded",  # left out on purpose after a pause, see `rankalpha.joins.after_pause`
    "unpublished",  # run with the order to publish nothing
    "lost",  # it has all that it needs, and nothing waits with it
]
NEVER = datetime(1, 1, 1, tzinfo=UTC)


FRONTEND = "frontend"  # the last step: it was told of the grades


@dataclass(frozen=True)
class Standing:
    """What a step of a batch is in, and since when; `run_id` is that of its newest run.

    `queued` is when a run that has not ended was queued.

    `seconds` is how long its newest run has taken, `published` when it was published last, and `extra` what
    that event tells of it: the result, see `rankalpha.operators.publish`.
    """

    state: State
    since: datetime | None = None
    run_id: str | None = None
    seconds: float | None = None
    published: datetime | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    queued: datetime | None = None


@dataclass(frozen=True)
class Seen:
    """What Airflow tells of a batch: its runs by DAG, oldest first, and its events by dataset, oldest first.

    Runs and events are as the public API gives them; `superseded` holds when a DAG was to leave it out.
    """

    runs: Mapping[str, Sequence[Mapping[str, Any]]]
    events: Mapping[str, Sequence[Mapping[str, Any]]]
    superseded: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True)
class Batch:
    """A batch and its steps by name; `begun` is when it was last asked for, by clock or by hand."""

    key: str
    begun: datetime
    steps: Mapping[str, Standing]

    @property
    def settled(self) -> bool:
        """Tell whether nothing of it is left to be done."""
        states = {standing.state for standing in self.steps.values()}
        if states & {"superseded", "unpublished"}:
            return states <= {"done", "waiting", "superseded", "unpublished"}
        return states == {"done"}

    @property
    def where(self) -> str:
        """What it waits for, in words."""
        open_steps = {name: one for name, one in self.steps.items() if one.state not in ("done", "waiting")}
        said = [
            f"{name} {one.state}{f' since {one.since:%H:%M}' if one.since else ''}"
            for name, one in open_steps.items()
        ]
        return ", ".join(said) or ("graded" if self.settled else "nothing runs")


def batch_of(
    pipeline: Pipeline, key: str, seen: Seen, paused: Sequence[str], draining: Sequence[str] = ()
) -> Batch:
    """Return where a pipeline's batch stands.

    `paused` are the ids of the DAGs that are paused, `draining` of those that only end the runs they have.
    """
    makers = {step.writes: step for step in pipeline.steps}
    steps = {
        step.name: _described(_standing(step, makers, seen, paused, draining), step, seen)
        for step in pipeline.steps
    }
    steps[FRONTEND] = _frontend(pipeline.steps[-1], seen)
    asked = [run for runs in seen.runs.values() for run in runs if run["run_type"] != "asset_triggered"] or [
        run for runs in seen.runs.values() for run in runs
    ]
    begun = max((_moment(run["start_date"] or run["queued_at"]) for run in asked), default=NEVER)
    return Batch(key, begun, steps)


def _standing(
    step: Step, makers: Mapping[str, Step], seen: Seen, paused: Sequence[str], draining: Sequence[str]
) -> Standing:
    run = _newest(seen.runs, step.dag_id)
    if run and run["state"] == "running":
        queued = _moment(run["queued_at"])
        return Standing("running", _moment(run["start_date"]), run["dag_run_id"], queued=queued)
    if run and run["state"] == "queued":
        queued = _moment(run["queued_at"])
        return Standing(
            "paused" if step.dag_id in paused else "queued", queued, run["dag_run_id"], queued=queued
        )
    done = _newest(seen.events, step.writes)
    inputs = [_newest(seen.events, dataset) for dataset in step.reads]
    ready = max((_moment(event["timestamp"]) for event in inputs if event), default=NEVER)
    if run and run["state"] == "failed" and _counts(run, done, ready):
        return Standing("failed", _moment(run["end_date"]), run["dag_run_id"])
    if done and _moment(done["timestamp"]) >= ready:
        return Standing("done", _moment(done["timestamp"]), done["source_run_id"])
    if None in inputs or not (step.reads or run) or any(_outdated(makers[one], seen) for one in step.reads):
        return Standing("waiting")
    return _left(step, seen, step.dag_id in {*paused, *draining}, ready)


def _outdated(step: Step, seen: Seen) -> bool:
    """Tell whether an input of a step was published again after the step had read it."""
    event = seen.events[step.writes][-1]
    of_event = (run for run in seen.runs.get(step.dag_id, ()) if run["dag_run_id"] == event["source_run_id"])
    # a run that was removed or cleared does not tell when it began
    began = next((run["start_date"] for run in of_event), None) or event["timestamp"]
    read_at = min(_moment(began), _moment(event["timestamp"]))
    inputs = (_newest(seen.events, dataset) for dataset in step.reads)
    return any(_moment(one["timestamp"]) > read_at for one in inputs if one)


def _described(standing: Standing, step: Step, seen: Seen) -> Standing:
    """Add what the newest run and the newest event tell."""
    run, event = _newest(seen.runs, step.dag_id) or {}, _newest(seen.events, step.writes) or {}
    return replace(
        standing,
        seconds=run.get("duration"),
        published=_moment(event["timestamp"]) if event else None,
        extra=event.get("extra") or {},
    )


def _counts(run: Mapping[str, Any], done: Mapping[str, Any] | None, ready: datetime) -> bool:
    """Tell whether a failed run is the last word: it did not publish, and nothing was published since."""
    if done and (done["source_run_id"] == run["dag_run_id"] or done["timestamp"] >= run["end_date"]):
        return False
    return _moment(run["end_date"]) >= ready


def _left(step: Step, seen: Seen, paused: bool, ready: datetime) -> Standing:
    """Return why a step that has all that it needs since `ready` has published nothing."""
    run = _newest(seen.runs, step.dag_id)
    if run and run["state"] == "success" and _moment(run["start_date"]) >= ready:
        return Standing("unpublished", _moment(run["end_date"]), run["dag_run_id"])
    if seen.superseded.get(step.dag_id, NEVER) >= ready:
        return Standing("superseded", seen.superseded[step.dag_id])
    return Standing("paused" if paused else "lost", ready)


def _frontend(grading: Step, seen: Seen) -> Standing:
    """Return whether the run that has published the newest grades went through."""
    grades = _newest(seen.events, grading.writes)
    if not grades:
        return Standing("waiting")
    runs = {run["dag_run_id"]: run for run in seen.runs.get(grading.dag_id, ())}
    run = runs.get(grades["source_run_id"])
    if run is None or run["state"] == "success":  # a run that was removed had ended
        return Standing("done", _moment((run or {}).get("end_date") or grades["timestamp"]))
    state: State = "failed" if run["state"] == "failed" else "running"
    return Standing(state, _moment(run["end_date"] or run["start_date"]), run["dag_run_id"])


def _moment(text: str | None) -> datetime:
    return datetime.fromisoformat(text) if text else NEVER


def _newest(found: Mapping[str, Sequence[Mapping[str, Any]]], name: str) -> Mapping[str, Any] | None:
    return next(reversed(found.get(name, ())), None)
