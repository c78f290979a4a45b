"""The lineage of a batch as text."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

MEBIBYTE = 1024**2


def lines(lineage: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of a lineage (of `rankalpha.lineage.batch_lineage`); times in UTC."""
    yield f"Batch {lineage['batch']}"
    for step in lineage["steps"]:
        yield f"{step['step']}  ({step['dag_id']})"
        for run in step["runs"]:
            yield from (f"    {line}" for line in _run(run))
        for one in step["inputs"]:
            published = f"published {_time(one['published'])}"
            yield f"    reads   {one['dataset']} of {one['batch']}, {published}, {_checksum(one)}"
        yield from (f"    {line}" for line in _output(step["output"]))


def _run(run: Mapping[str, Any]) -> Iterator[str]:
    who = f" ({run['user']})" if run["user"] else ""
    note = f", note: {run['note']}" if run["note"] else ""
    yield (
        f"run     {run['run_id']}: {run['state']}, {_span(run)}, "
        f"{run['run_type']} by {run['triggered_by']}{who}{note}"
    )
    for one in run["tries"]:
        yield f"            {one['task_id']}, try {one['try_number']}: {one['state']}, {_span(one)}"


def _output(output: Mapping[str, Any] | None) -> Iterator[str]:
    if output is None:
        yield "writes  nothing yet"
        return
    yield f"writes  {output['dataset']}, published {_time(output['published'])} by {output['run_id']}"
    told = [f"{output[name]} {name}" for name in ("rows", "symbols") if output[name] is not None]
    as_of = [f"as of {output['as_of']}"] if output["as_of"] else []
    yield f"            {', '.join([*told, *as_of, _checksum(output)])}"
    if container := output["container"]:
        yield f"            {_container(container)}"
    for check in output["checks"]:
        passed = "passed" if check["passed"] else f"NOT PASSED ({check['severity']})"
        yield f"            check {check['name']}: {check['value']}, expected {check['expected']}: {passed}"
    if forced := output["forced"]:
        yield f"            PUBLISHED ANYWAY by {forced['by']}: {forced['reason']}"


def _container(container: Mapping[str, Any]) -> str:
    digest = f"@{container['digest']}" if container["digest"] else ", without a digest"
    parts = [f"image {container['image']}{digest}", f"container {container['name']}"]
    parts.append(f"{container['seconds']:.1f} s")
    if (cpu := container["cpu_seconds"]) is not None:
        parts.append(f"{cpu:.1f} CPU s")
    if (memory := container["peak_memory_bytes"]) is not None:
        parts.append(f"at most {memory / MEBIBYTE:.0f} MiB")
    return ", ".join(parts)


def _checksum(one: Mapping[str, Any]) -> str:
    return one["checksum"] or "no checksum"


def _time(text: str) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M:%S}"


def _span(one: Mapping[str, Any]) -> str:
    if not one["started"]:
        return "not started"
    if not one["ended"]:
        return f"since {_time(one['started'])}"
    seconds = datetime.fromisoformat(one["ended"]) - datetime.fromisoformat(one["started"])
    return f"{_time(one['started'])}, {seconds.total_seconds():.1f} s"
