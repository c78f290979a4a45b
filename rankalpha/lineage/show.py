"""The lineage of a batch as text."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from rankalpha.contract.report import verdict
from rankalpha.texts import count

MEBIBYTE = 1024**2


def lines(lineage: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of a lineage (see `rankalpha.lineage.batch`), each step between its datasets."""
    yield f"Batch {lineage['batch']}"
    for step in lineage["steps"]:
        yield f"{_flow(step)}  ({step['dag_id']})"
        for event in step["inputs"]:
            published = (
                f"published {_time(event['published'])}" if event["published"] else "not published now"
            )
            yield f"    reads   {event['dataset']} of {event['batch']}, {published}, {_checksum(event)}"
            yield from (f"            {line}" for line in _version(event))
        for run in step["runs"]:
            yield from (f"    {line}" for line in _run(run))
        yield from (f"    {line}" for line in _output(step["output"]))


def _flow(step: Mapping[str, Any]) -> str:
    """Return a step between the datasets that it has read and written."""
    reads = [" and ".join(event["dataset"] for event in step["inputs"])] if step["inputs"] else []
    writes = [step["output"]["dataset"]] if step["output"] else []
    return " → ".join([*reads, step["step"], *writes])


def _run(run: Mapping[str, Any]) -> Iterator[str]:
    who = f" ({run['user']})" if run["user"] else ""
    note = f", note: {run['note']}" if run["note"] else ""
    yield (
        f"run     {run['run_id']}: {run['state']}, {_span(run)}, "
        f"{run['run_type']} by {run['triggered_by']}{who}{note}"
    )
    for attempt in run["tries"]:
        number = f", attempt {attempt['try_number']}" if attempt["try_number"] else ""  # 0: never queued
        name = f"{attempt['task_id']}{number}"
        state = f"{attempt['state']}, " if attempt["state"] else ""
        yield f"            {name}: {state}{_span(attempt)}"


def _output(output: Mapping[str, Any] | None) -> Iterator[str]:
    if output is None:
        yield "writes  nothing yet"
        return
    by = output["run_id"] or "a person"  # an event that was posted belongs to no run
    yield f"writes  {output['dataset']}, published {_time(output['published'])} by {by}"
    counts = [
        count(output[f"{thing}s"], thing) for thing in ("row", "symbol") if output[f"{thing}s"] is not None
    ]
    as_of = [f"as of {output['as_of']}"] if output["as_of"] else []
    yield f"            {', '.join([*counts, *as_of, _checksum(output)])}"
    yield from (f"            {line}" for line in _version(output))
    yield from (f"            {line}" for line in _news(output))
    if container := output["container"]:
        yield f"            {_container(container)}"
    for check in output["checks"]:
        passed = verdict(check) if check["passed"] else f"NOT PASSED ({check['severity']})"
        yield f"            check {check['name']}: {check['value']}, expected {check['expected']}: {passed}"
    for what, record in (("ANYWAY", output["forced"]), ("AGAIN", output["republished"])):
        if record:
            yield f"            PUBLISHED {what} by {record['by']}: {record['reason']}"


def _news(output: Mapping[str, Any]) -> Iterator[str]:
    """Yield which session prices are of, and which batch's run has made what was published again."""
    if session := output["session"]:
        yield f"{session['text']}; the newest session was that of {session['newest']}"
    if batch := output["reused_from"]:
        yield f"used again from batch {batch}, no container ran"
    if batch := output["carried_over_from"]:
        yield f"carried over from batch {batch}, nothing is new"


def _container(container: Mapping[str, Any]) -> str:
    digest = f"@{container['digest']}" if container["digest"] else ", without a digest"
    parts = [f"image {container['image']}{digest}", f"container {container['name']}"]
    parts.append(f"{container['seconds']:.1f} s")
    if (cpu := container["cpu_seconds"]) is not None:
        parts.append(f"{cpu:.1f} CPU s")
    if (memory := container["peak_memory_bytes"]) is not None:
        parts.append(f"peak {memory / MEBIBYTE:.0f} MiB")
    return ", ".join(parts)


def _checksum(event: Mapping[str, Any]) -> str:
    return event["checksum"] or "no checksum"


def _version(event: Mapping[str, Any]) -> Iterator[str]:
    if version := event["version"]:
        yield f"version {version['path']}, sha256:{version['sha256']}"


def _time(text: str) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M:%S}"


def _span(run: Mapping[str, Any]) -> str:
    """Return when a run or an attempt started, and how long it took."""
    if not run["started"]:
        return "not started"
    if not run["ended"]:
        return f"since {_time(run['started'])}"
    seconds = datetime.fromisoformat(run["ended"]) - datetime.fromisoformat(run["started"])
    return f"{_time(run['started'])}, {seconds.total_seconds():.1f} s"
