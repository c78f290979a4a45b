"""Logs for aggregation: one JSON line an event, by Airflow's own switch `AIRFLOW__LOGGING__JSON_LOGS`.

Airflow names DAG, task, run and try in each line of a task; here is the batch that joins the lines of all
of them, and the same switch for the processes that are none of Airflow's.
"""

import contextlib
import io
import logging
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO, TextIO

import structlog

from rankalpha.settings import LogSettings

TEXT = "%(asctime)s %(levelname)s %(message)s"

log = logging.getLogger(__name__)


def bind_batch(batch: str) -> None:
    """Let all that this task or process logs from now on carry the batch."""
    structlog.contextvars.bind_contextvars(batch=batch)


def bind_batch_of_run(context: Any) -> None:
    """Do so for a run that was given its batch, also for its callbacks; an `on_execute_callback`."""
    if key := context["dag_run"].partition_key:
        bind_batch(key)


def mask_output() -> None:
    """Let this process mask what the tasks that it runs have named as secret, in its copy of their lines.

    Airflow 3.3.2 masks the file of a task, and not what LocalExecutor prints of it in the scheduler's output.
    """
    from airflow.sdk.log import mask_logs  # noqa: PLC0415  of no use to the processes that are none of Airflow's

    processors = structlog.get_config()["processors"]  # in place, for loggers that were used before have it
    if mask_logs not in processors:
        processors.insert(0, mask_logs)


def configure() -> None:
    """Let a process that is none of Airflow's log to stderr, as lines of text or as Airflow's JSON."""
    handler = logging.StreamHandler()
    handler.setFormatter(_json() if LogSettings.load().json_logs else logging.Formatter(TEXT))
    logging.basicConfig(handlers=[handler], level=logging.INFO)


@contextlib.contextmanager
def printed_is_logged() -> Iterator[None]:
    """Log each line that is printed meanwhile; what is written to stdout in bytes goes there as it is."""
    with contextlib.redirect_stdout(_Lines(sys.stdout)):
        yield


class _Lines(io.StringIO):
    """Logs each line that is written to it; `error: …` is how our commands begin theirs."""

    def __init__(self, stdout: TextIO) -> None:
        super().__init__()
        self._stdout = stdout

    @property
    def buffer(self) -> BinaryIO:
        """Airflow's own loggers write their lines there."""
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
