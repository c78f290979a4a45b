"""What a runner can be asked about the containers of stages."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping, Sequence

from rankalpha.runners.container import Container, Usage
from rankalpha.runners.line import Line
from rankalpha.stages.job import StageJob
from rankalpha.stages.stage import Stage

GRACE_SECONDS = 3  # between asking a stage to stop and killing it; Airflow kills the task itself after 5
TAIL_LINES = 20  # log lines quoted in the error of a failed stage


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
    def pinned(self, container: Container) -> str | None:
        """Return a name that means the container's image for good; None when it has no image.

        It ends with the image's digest, `sha256:...`.
        """

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
