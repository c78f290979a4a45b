"""What a runner does, and how a stage can fail."""

import os
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from typing import Any

from airflow.sdk.log import mask_logs

from rankalpha.stage import StageJob

GRACE_SECONDS = 3  # between asking a stage to stop and killing it; Airflow kills the task itself after 5
TAIL_LINES = 20  # log lines quoted in the error of a failed stage

# sysexits.h: wrong usage, wrong data, wrong configuration do not heal by trying again
PERMANENT_EXITS = (os.EX_USAGE, os.EX_DATAERR, os.EX_CONFIG)
# what shells, `env` and Docker's init say of a command that cannot be run or is not there
COMMAND_EXITS = (125, 126, 127)


class StageFailed(Exception):
    """The stage failed and may succeed when tried again."""


class StageInvalid(StageFailed):
    """The stage cannot succeed before a person has changed something."""


class Runner(ABC):
    """Runs one stage to its end."""

    @abstractmethod
    def run(self, job: StageJob, log: Any) -> bytes:
        """Run `job`, its output goes to `log` line by line; return its result, empty if there is none.

        Raises StageFailed or StageInvalid with the exit status and the last lines when it did not exit with
        0.
        """

    @abstractmethod
    def stop(self) -> None:
        """Stop what `run` has started: ask first, kill after the grace period. Safe to call at any time."""


def pass_on(line: str, log: Any, tail: deque[str]) -> None:
    """Log a line of the stage's output and keep it for the error, both without secrets.

    Airflow masks them in a task's log, but not in the scheduler's output, where LocalExecutor prints it too.
    """
    masked = str(mask_logs(None, "info", {"event": line})["event"])
    log.info("%s", masked)
    tail.append(masked)


def check_exit(job: StageJob, status: int, tail: Sequence[str], hint: str = "") -> None:
    """Raise when `status`, the exit status of `job`, is not 0."""
    if status == 0:
        return
    if status in COMMAND_EXITS:
        hint += f" Its command, or one that it calls, cannot be run: mend {job.stage.key('COMMAND')}."
    last = "\n  ".join(["", *tail]) if tail else " It printed nothing."
    text = f"stage {job.stage.name} of batch {job.batch} exited with {status}.{hint} Last lines:{last}"
    raise (StageInvalid if status in (*PERMANENT_EXITS, *COMMAND_EXITS) else StageFailed)(text)
