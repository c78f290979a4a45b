"""What a runner can be asked about the containers of stages, and how a stage can fail."""

import os
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, TypedDict

from rankalpha.stages.stage import StageJob

GRACE_SECONDS = 3  # between asking a stage to stop and killing it; Airflow kills the task itself after 5
TAIL_LINES = 20  # log lines quoted in the error of a failed stage
MAX_RESULT = 1024 * 1024  # bytes of a result that are read; `stages.result` has its own limit
LONGEST_LINE = 64 * 1024  # characters; of a longer one the rest is left out, see `shortened`

# sysexits.h: wrong usage, wrong data, wrong configuration do not heal by trying again
PERMANENT_EXITS = (os.EX_USAGE, os.EX_DATAERR, os.EX_CONFIG)
# what shells, `env` and Docker's init say of a command that cannot be run or is not there
COMMAND_EXITS = (125, 126, 127)


class StageFailed(Exception):
    """The stage failed and may succeed when tried again."""


class StageInvalid(StageFailed):
    """The stage cannot succeed before a person has changed something."""


class StageLeft(StageFailed):
    """Airflow has ended the try, and nobody the stage, which goes on for another try."""


class EngineLost(StageFailed):
    """Nothing is known of the stage, for the engine does not answer."""


class ContainerGone(StageFailed):
    """There is no such container any more."""


class NameTaken(StageFailed):
    """There is a container of that name already."""


class Usage(TypedDict):
    """What a container has used: CPU time in seconds, and memory in bytes at its peak."""

    cpu_seconds: float
    peak_memory_bytes: int


@dataclass(frozen=True)
class Container:
    """A stage's container as its engine sees it; for the process runner, its process.

    `started` is None for one that never ran, `ended` is None while it has not ended, and `status` is None
    while it has not ended or when nobody knows. `image` is the name that it was started by, `usage` is there
    when the engine knows it after the end, and `memory_limit` is in bytes, None where there is none.
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
    """How far an output was logged: the time of the last line, and how many lines of that time there were.

    The text of a line does not tell, for it may have been masked. `size` is how many bytes of log that took.
    """

    time: str = ""
    lines: int = 0
    size: int = 0


NOTHING = Mark()


def shortened(text: str, unread: int = 0) -> str:
    """Return a line of output, of a very long one its beginning: what handles it must not take seconds.

    `unread` is how many characters of its rest are not in `text`.
    """
    missing = len(text) - LONGEST_LINE + unread
    return (
        text
        if missing <= 0
        else f"{text[:LONGEST_LINE]} [at least {missing} more characters of this line are left out]"
    )


def check_result_file(stage: str, path: str, size: int, *, plain: bool) -> None:
    """Raise StageInvalid for what cannot be a result, before it is read: no plain file, or a large one."""
    if not plain:
        raise StageInvalid(f"stage {stage}: its result {path} is not a plain file; write JSON to it")
    if size > MAX_RESULT:
        how = f"has {size} bytes, of {MAX_RESULT} at most; report figures, and leave data in the volumes"
        raise StageInvalid(f"stage {stage}: its result {path} {how}")


class Runner(ABC):
    """An engine that runs stages; each method raises EngineLost when it does not answer.

    Those that take the id of a container raise ContainerGone when there is none. An id stays the same when
    the container is renamed.
    """

    @abstractmethod
    def create(self, job: StageJob, name: str) -> Container:
        """Create the container of `job` without starting it.

        Raises NameTaken, and StageInvalid when the engine lacks what the stage needs.
        """

    @abstractmethod
    def start(self, container: Container, job: StageJob) -> None:
        """Start what was created; raises StageInvalid, the container then being removed."""

    @abstractmethod
    def find(self, name: str) -> Container | None:
        """Return the container of that name."""

    @abstractmethod
    def look(self, container_id: str) -> Container:
        """Return the container as it is now."""

    @abstractmethod
    def containers(self, labels: Mapping[str, str]) -> Sequence[Container]:
        """Return the containers that carry all of `labels`, also those that have ended."""

    @abstractmethod
    def in_flight(self, at_most: int) -> int:
        """Return how many containers of stages run, counting no further than `at_most`."""

    @abstractmethod
    def lines(self, container_id: str, since: str = "") -> AsyncGenerator[Line, None]:
        """Yield the output from the time `since` on, until the container ends or the engine hangs up."""

    @abstractmethod
    def tail(self, container_id: str) -> Sequence[str]:
        """Return the last TAIL_LINES lines of the output."""

    @abstractmethod
    def whole(self, container_id: str) -> str:
        """Return where a person finds the whole output."""

    @abstractmethod
    def environment(self, container_id: str) -> Mapping[str, str]:
        """Return the container's environment; it holds secrets."""

    @abstractmethod
    def result(self, container_id: str, stage: str) -> bytes:
        """Return the result that the stage has left, empty if none; StageInvalid for what cannot be one."""

    @abstractmethod
    def sample(self, container_id: str) -> Usage | None:
        """Return what the container has used until now; None when that shows only at its end, or never."""

    @abstractmethod
    def digest(self, container: Container) -> str | None:
        """Return the digest of the container's image, `sha256:...`; None for what has no image."""

    @abstractmethod
    def stop(self, container_id: str) -> None:
        """Stop the container: ask first, kill after the grace period."""

    @abstractmethod
    def rename(self, container_id: str, name: str) -> None:
        """Give the container another name; nothing else of it changes."""

    @abstractmethod
    def remove(self, container_id: str) -> None:
        """Remove the container, should it still run too."""
