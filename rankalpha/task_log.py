"""Where a stage's output goes: the log of its task, each line with the time at which the stage printed it."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import structlog
from airflow.configuration import conf
from airflow.sdk.log import mask_logs, mask_secret
from airflow.utils.helpers import log_filename_template_renderer

from rankalpha.runners.base import Line, Mark
from rankalpha.texts import ERROR, cut

LOGGER = "stage"  # marks the lines of stages in a log
URL_PASSWORD = re.compile(r"[a-z][a-z0-9+.-]*://[^:/@\s]*:([^@/\s]+)@", re.IGNORECASE)
SHORTEST_MASKED = 5  # characters; [logging] min_length_masked_secret


def write(line: Line) -> None:
    """Log a line of a stage's output."""
    structlog.get_logger(logger_name=LOGGER).info(masked(line.text), timestamp=line.time)


def masked(text: str) -> str:
    """Return a text without secrets.

    Airflow masks them in a task's log, but not in the scheduler's output, where LocalExecutor prints it too.
    """
    return str(mask_logs(None, "info", {"event": text})["event"])


def quoted(text: object) -> str:
    """Return the text of an error without secrets, and not longer than a log or an alert can bear."""
    return cut(masked(str(text)), ERROR)


def mask(env: Mapping[str, str], secrets: Iterable[str]) -> None:
    """Keep secrets of a stage's environment out of the log, should it print them; `secrets` are keys."""
    # values of keys that sound secret; of any shorter value Airflow says that it cannot mask it
    mask_secret({key: value for key, value in env.items() if len(value) >= SHORTEST_MASKED})
    mask_secret([env[key] for key in secrets if key in env])
    mask_secret([found[1] for value in env.values() if (found := URL_PASSWORD.match(value))])


def written_by_triggerers(ti: Any) -> Mark:
    """Return how far earlier triggerers have logged the stage's output for this try.

    That is not known of what they have written on another machine; those lines are logged again.
    """
    relative = log_filename_template_renderer()(ti=ti)
    path = Path(conf.get_mandatory_value("logging", "base_log_folder"), relative)
    found = [entry for file in path.parent.glob(f"{path.name}.trigger.*.log") for entry in _times(file)]
    newest = max((time for time, _ in found), default="")
    return Mark(newest, sum(time == newest for time, _ in found), sum(size for _, size in found))


def _times(file: Path) -> Iterator[tuple[str, int]]:
    """Yield the time of each line of a stage, and how many bytes it has in the log."""
    with file.open("rb") as text:
        for entry in text:
            if LOGGER.encode() in entry and (time := _time(entry)):
                yield time, len(entry)


def _time(entry: bytes) -> str | None:
    try:
        fields = json.loads(entry)
    except ValueError:  # the triggerer was killed while it wrote
        return None
    return str(fields["timestamp"]) if fields.get("logger") == LOGGER else None
