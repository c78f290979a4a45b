"""Logs for aggregation: one JSON line for each event, by Airflow's own switch `AIRFLOW__LOGGING__JSON_LOGS`.

Airflow names the DAG, task, run and attempt in each line of a task. This adds the batch, which joins the
lines of all tasks, and the same switch for the processes that are not Airflow's.
"""

import contextlib
import io
import logging
import sys
from collections.abc import Iterator, MutableMapping
from typing import Any, BinaryIO, TextIO

import structlog

from rankalpha.settings import LogSettings
from rankalpha.texts import cut

PRINTED = 2_000  # characters of an event; with its other fields a line stays below the 4,096 bytes of a pipe
TEXT = "%(asctime)s %(levelname)s %(message)s"

log = logging.getLogger(__name__)


def bind_batch(batch: str) -> None:
    """Add the batch to all lines that this task or process logs from now on."""
    structlog.contextvars.bind_contextvars(batch=batch)


def bind_batch_of_run(context: Any) -> None:
    """Add the batch of a run that has one as its key, for its callbacks too; an `on_execute_callback`."""
    if key := context["dag_run"].partition_key:
        bind_batch(key)


def log_refusals_plainly(_context: Any) -> None:
    """Log the refusals of this task in one line, without a traceback; an `on_execute_callback`."""
    processors = structlog.get_config()["processors"]
    if _plainly not in processors:
        processors[:0] = [_plainly]  # in place, as below


def _plainly(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Let the message of a refusal take the place of its traceback, which leads to where we raise it.

    A refusal is an AirflowFailException whose message holds that of its cause, if it has one.
    """
    from airflow.sdk.exceptions import AirflowFailException  # noqa: PLC0415  only in tasks

    error = sys.exc_info()[1] if event.get("exc_info") is True else None
    if isinstance(error, AirflowFailException):
        cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if cause is None or str(cause) in str(error):
            del event["exc_info"]
            event["event"] = f"{str(event['event']).removesuffix(' with exception')}: {error}"
    return event


def mask_output() -> None:
    """Mask in this process's copy of its tasks' lines what the tasks have named as secret; bound each line.

    Airflow 3.3.2 masks the file of a task, and not what LocalExecutor prints of it in the scheduler's output.
    Several processes write to that output, and a longer line of one can have a line of another in it.
    """
    from airflow.sdk.log import mask_logs  # noqa: PLC0415  of no use to the processes that are none of Airflow's

    processors = structlog.get_config()[
        "processors"
    ]  # changed in place, because loggers that were used before share it
    if mask_logs not in processors:
        processors[:0] = [mask_logs, _bounded]


def _bounded(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Cut what an event says; the file of its task has the whole."""
    if isinstance(text := event.get("event"), str):
        event["event"] = cut(text, PRINTED)
    return event


def configure() -> None:
    """Make a process that is not Airflow's log to stderr, as lines of text or as Airflow's JSON."""
    handler = logging.StreamHandler()
    handler.setFormatter(_json() if LogSettings.load().json_logs else logging.Formatter(TEXT))
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)


@contextlib.contextmanager
def printed_is_logged() -> Iterator[None]:
    """Log each line that is printed meanwhile; bytes written to stdout stay as they are."""
    with contextlib.redirect_stdout(_Lines(sys.stdout)):
        yield


class _Lines(io.StringIO):
    """Logs each line that is written to it, as an error when it begins with our commands' `error:`."""

    def __init__(self, stdout: TextIO) -> None:
        super().__init__()
        self._stdout = stdout

    @property
    def buffer(self) -> BinaryIO:
        """The bytes of stdout, where Airflow's own loggers write their lines."""
        return self._stdout.buffer

    def write(self, text: str) -> int:
        *lines, rest = f"{self.getvalue()}{text}".split("\n")
        self.seek(0)
        self.truncate()
        for line in lines:
            if line.strip():
                log.log(logging.ERROR if line.startswith("error:") else logging.INFO, "%s", line.rstrip())
        return super().write(rest)


def _json() -> logging.Formatter:
    """Return a formatter with the fields of Airflow's JSON lines."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.dict_tracebacks,
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(),
        ],
    )
