"""Writes a stage's output to the log of its task, each line with the time at which the stage printed it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import structlog
from airflow.sdk import conf
from airflow.utils.helpers import log_filename_template_renderer

from rankalpha.masking import masked
from rankalpha.runners.line import Line, Mark

LOGGER = "stage"  # marks the lines of stages in a log


def write(line: Line) -> None:
    """Log a line of a stage's output."""
    structlog.get_logger(logger_name=LOGGER).info(masked(line.text), timestamp=line.time)


def written_by_triggerers(ti: Any) -> Mark:
    """Return how far earlier triggerers have logged the stage's output in this attempt.

    What they logged on another machine is not known here; those lines are logged again.
    """
    relative = log_filename_template_renderer()(ti=ti)
    path = Path(conf.get_mandatory_value("logging", "base_log_folder"), relative)
    entries = [entry for file in path.parent.glob(f"{path.name}.trigger.*.log") for entry in _times(file)]
    newest = max((time for time, _ in entries), default="")
    return Mark(newest, sum(time == newest for time, _ in entries), sum(size for _, size in entries))


def _times(file: Path) -> Iterator[tuple[str, int]]:
    """Yield the time of each line of a stage, and how many bytes it has in the log."""
    with file.open("rb") as text:
        for entry in text:
            if LOGGER.encode() in entry and (time := _time(entry)):
                yield time, len(entry)


def _time(entry: bytes) -> str | None:
    try:
        fields = json.loads(entry)
    except ValueError:  # half an entry of a triggerer that was killed
        return None
    return str(fields["timestamp"]) if fields.get("logger") == LOGGER else None
