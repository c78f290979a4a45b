"""What a step has read: as its output records it or, without a record, by the events of its run."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rankalpha.airflow_api import AirflowApi
from rankalpha.pipeline.steps import Step
from rankalpha.pipeline.versions import VERSION

Event = Mapping[str, Any]
Events = Mapping[str, Sequence[Event]]  # of the batch, by dataset, oldest first


def inputs(
    api: AirflowApi, step: Step, run: Event | None, events: Events, known: Events
) -> list[dict[str, Any]]:
    """Return what a step has read; `run` has published its output, or is its newest one.

    `known` are further events, by which versions of other batches are found.
    """
    published = events[step.writes]
    found = recorded(published[-1]["extra"] or {}, step, known) if published else []
    if not {each["dataset"] for each in found} >= set(
        step.reads
    ):  # a producer without versions leaves no record
        found = [*consumed(api, step, run, events), *found]
    by_dataset = {each["dataset"]: each for each in found}
    names = (*step.reads, *(name for name, _ in step.also))
    return [by_dataset[name] for name in names if name in by_dataset]


def recorded(extra: Event, step: Step, events: Events) -> list[dict[str, Any]]:
    """Return the inputs that an output of the step names; `extra` is its event's.

    Empty for an output without a version: then nobody has recorded what it was made from.
    """
    version = version_of(extra)
    read = version["inputs"] if version else {}
    return [
        _named(name, read[plain], events[name])
        for name, plain in (*zip(step.reads, step.inputs, strict=True), *step.also)
        if plain in read
    ]


def consumed(api: AirflowApi, step: Step, run: Event | None, events: Events) -> list[dict[str, Any]]:
    """Return the events that a run of the step has consumed.

    A run that was triggered by hand has consumed no event; it took what its batch had when it started.
    """
    if not run or not step.reads:
        return []
    path = f"dags/{step.dag_id}/dagRuns/{run['dag_run_id']}/upstreamAssetEvents"
    joined = _newest(api.get(path)["asset_events"])
    until = run["start_date"] or run["run_after"]
    available = _newest(event for name in step.reads for event in events[name] if event["timestamp"] <= until)
    return [
        _of_event(name, event) for name in step.reads if (event := joined.get(name) or available.get(name))
    ]


def version_of(extra: Event) -> dict[str, Any] | None:
    """Return the version that an event's extra names; None without one.

    A person may post an event with any text in it: path, sha256 and inputs are there, and are what they
    should be, or empty.
    """
    version = extra.get(VERSION)
    if not isinstance(version, Mapping):
        return None
    read = version.get("inputs")
    inputs = read.items() if isinstance(read, Mapping) else ()
    named = {name: dict(each) for name, each in inputs if isinstance(each, Mapping)}
    return {**version, **{key: version.get(key) for key in ("path", "sha256")}, "inputs": named}


def reference(version: Event | None) -> dict[str, Any] | None:
    """Return path and checksum of a version alone."""
    return None if version is None else {key: version.get(key) for key in ("path", "sha256")}


def _named(name: str, version: Event, events: Sequence[Event]) -> dict[str, Any]:
    """Return an input by its version; the event that has published it may be gone."""
    for event in reversed(events):
        if reference(version_of(event["extra"] or {})) == reference(version):
            return _of_event(name, event)
    batch = str(version.get("path")).split("/")[1:2]
    gone = {"batch": batch[0] if batch else None, "published": None, "checksum": None}
    return {"dataset": name, **gone, "version": reference(version)}


def _of_event(name: str, event: Event) -> dict[str, Any]:
    extra = event["extra"] or {}
    return {
        "dataset": name,
        "batch": event["partition_key"],
        "published": event["timestamp"],
        "checksum": extra.get("checksum"),
        "version": reference(version_of(extra)),
    }


def _newest(events: Iterable[Event]) -> dict[str, Event]:
    return {event["name"]: event for event in sorted(events, key=lambda event: str(event["timestamp"]))}
