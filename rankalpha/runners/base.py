"""What a runner can be asked about the containers of stages, and how a stage can fail."""

import os
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, TypedDict

from rankalpha.stages.stage import Stage, StageJob

GRACE_SECONDS = 3  # between asking a stage to stop and killing it; Airflow kills the task itself after 5
TAIL_LINES = 20  # log lines quoted in the error of a failed stage
MAX_RESULT = 1024 * 1024  # bytes of a result that are read; `stages.result` has its own limit
LONGEST_LINE = 64 * 1024  # characters; the rest of a longer line is left out, see `shortened`

# sysexits.h: another attempt does not fix wrong usage, wrong data or wrong configuration
PERMANENT_EXITS = (os.EX_USAGE, os.EX_DATAERR, os.EX_CONFIG)
# what shells, `env` and Docker's init say of a command that cannot be run or is not there
COMMAND_EXITS = (125, 126, 127)


class StageFailed(Exception):
    """The stage failed, and another attempt may succeed."""


class StageInvalid(StageFailed):
    """The stage cannot succeed before a person has changed something."""


class StageLeft(StageFailed):
    """Airflow ended this attempt, but the stage is still running; the next attempt adopts it."""


class EngineLost(StageFailed):
    """The engine does not answer, so the state of the stage is unknown."""


class ContainerGone(StageFailed):
    """The container no longer exists."""


class NameTaken(StageFailed):
    """A container of that name exists already."""


class Usage(TypedDict):
    """What a container has used: CPU time in seconds, and memory in bytes at its peak."""

    cpu_seconds: float
    peak_memory_bytes: int


@dataclass(frozen=True)
class Container:
    """A stage's container as its engine sees it; for the process runner, its process.

    `started` is None for a container that never ran, `ended` is None while it has not ended, and `status` is
    None while it has not ended or when its exit status is unknown. `set_aside` says whether it was set aside,
    see `Runner.set_aside`. `image` is the name that it was started by, `usage` is there when the engine knows
    it after the end, and `memory_limit` is in bytes, None without a limit.
    """

    id: str
    name: str
    labels: Mapping[str, str]
    running: bool
    created: datetime
    started: datetime | None = None
    ended: datetime | None = None
    status: int | None = None
    out_of_memory: bool = False
    set_aside: bool = False
    image: str = ""
    image_id: str = ""
    usage: Usage | None = None
    memory_limit: int | None = None


@dataclass(frozen=True)
class Line:
    """A line of a stage's output; `time` in UTC, RFC 3339 with nanoseconds, so that it sorts as text."""

    time: str
    text: str


class Mark(NamedTuple):
    """How far an output was logged: the time of the last line, and how many lines have that time.

    The text of a line does not identify it, because it may have been masked. `size` is the bytes of log that
    the output took.
    """

    time: str = ""
    lines: int = 0
    size: int = 0


NOTHING = Mark()


def shortened(text: str, unread: int = 0) -> str:
    """Return a line of output, cut when it is very long, because handling it must not take seconds.

    `unread` is the number of characters of the line that are not in `text`.
    """
    missing = len(text) - LONGEST_LINE + unread
    return (
        text
        if missing <= 0
        else f"{text[:LONGEST_LINE]} [at least {missing} more characters of this line are left out]"
    )


def check_result_file(stage: str, path: str, size: int, *, plain: bool) -> None:
    """Raise StageInvalid for a result that is too large or not a plain file, before it is read."""
    if not plain:
        raise StageInvalid(f"stage {stage}: its result {path} is not a plain file; write JSON to it")
    if size > MAX_RESULT:
        raise StageInvalid(
            f"stage {stage}: its result {path} has {size} bytes, of {MAX_RESULT} at most; "
            "report figures, and keep data in the volumes"
        )


class Runner(ABC):
    """An engine that runs stages. A new engine is one file, and one line of `rankalpha.runners.RUNNERS`.

    Each method raises EngineLost when the engine does not answer. Those that take the id of a container
    raise ContainerGone when it does not exist. A container keeps its id when it is set aside.
    """

    @abstractmethod
    def data_root(self, stage: Stage) -> str:
        """Return the root of the data as the stage sees it, an absolute path."""

    @abstractmethod
    def fingerprint(self, job: StageJob) -> str | None:
        """Return a digest of what the job would run, such as its image's id; None when it is not known."""

    @abstractmethod
    def create(self, job: StageJob, name: str) -> Container:
        """Create the container of `job` without starting it.

        Raises NameTaken, and StageInvalid when the engine lacks what the stage needs.
        """

    @abstractmethod
    def start(self, container: Container, job: StageJob) -> None:
        """Start a created container; does nothing when it runs already.

        Raises StageInvalid when it cannot be started; the container is then removed.
        """

    @abstractmethod
    def find(self, name: str) -> Container | None:
        """Return the container of that name or id; by its name only while it is not set aside."""

    @abstractmethod
    def inspect(self, container_id: str) -> Container:
        """Return the container as it is now."""

    @abstractmethod
    def containers(self, labels: Mapping[str, str]) -> Sequence[Container]:
        """Return the containers that carry all of `labels`: running, ended and set aside."""

    @abstractmethod
    def in_flight(self, at_most: int) -> int:
        """Return how many containers of stages run, counted up to `at_most`."""

    @abstractmethod
    def lines(self, container_id: str, since: str = "") -> AsyncGenerator[Line, None]:
        """Yield the output from the time `since` on, until the container ends or the engine closes it."""

    @abstractmethod
    def tail(self, container_id: str) -> Sequence[str]:
        """Return the last TAIL_LINES lines of the output."""

    @abstractmethod
    def output_location(self, container_id: str) -> str:
        """Return where a person finds the whole output: a command or a path."""

    @abstractmethod
    def environment(self, container_id: str) -> Mapping[str, str]:
        """Return the container's environment; it holds secrets."""

    @abstractmethod
    def result(self, container_id: str, stage: str) -> bytes:
        """Return the result that the stage wrote, empty without one; StageInvalid when it cannot be one."""

    @abstractmethod
    def sample(self, container_id: str) -> Usage | None:
        """Return what the container has used until now; None when the engine knows it at the end or never."""

    @abstractmethod
    def digest(self, container: Container) -> str | None:
        """Return the digest of the container's image, `sha256:...`; None when it has no image."""

    @abstractmethod
    def stop(self, container_id: str) -> None:
        """Stop the container: ask first, kill after the grace period."""

    @abstractmethod
    def set_aside(self, container_id: str, try_number: int) -> None:
        """Set the container aside: it no longer counts, and its name is free for another container.

        It is kept for inspection until it is swept; a person recognises its attempt by `try_number`. Does
        nothing for a container that is set aside already.
        """

    @abstractmethod
    def remove(self, container_id: str) -> None:
        """Remove the container, even if it still runs."""
