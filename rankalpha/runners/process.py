"""Runs stages as processes of this machine, for the embedded stack, which has no Docker engine.

The command, its environment and its result are those of the container, and so are its guarantees. A folder
takes a name once, so there is never a second process. A shim outlives the runner and keeps output and exit
status. A process has no file system and network of its own, and no real limits on CPU, memory and processes.
Its exit status is lost when its shim is killed too.
"""

import secrets
import shlex
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from itertools import islice
from stat import S_ISREG

from rankalpha.runners import container_log
from rankalpha.runners.base import TAIL_LINES, Runner
from rankalpha.runners.container import Container, Usage
from rankalpha.runners.failures import ContainerGone, StageInvalid
from rankalpha.runners.identity import is_set_aside, name_aside
from rankalpha.runners.line import Line
from rankalpha.runners.process_code import code
from rankalpha.runners.process_environment import data_root, environment, working_folder
from rankalpha.runners.process_folder import container_of, description, locked
from rankalpha.runners.process_folders import Folders
from rankalpha.runners.process_lines import lines_of
from rankalpha.runners.process_output import Output, line_of
from rankalpha.runners.process_start import pid_of, start_once
from rankalpha.runners.process_stop import stop_group
from rankalpha.runners.result_file import check_result_file
from rankalpha.settings import settings
from rankalpha.stages.job import StageJob
from rankalpha.stages.stage import Stage


class ProcessRunner(Runner):
    """A folder for each process: its description, lock, output, exit status and result."""

    def __init__(self) -> None:
        self._folders = Folders(settings().process_dir.absolute())

    def data_root(self, stage: Stage) -> str:
        """See Runner.data_root; a market has a folder of its own."""
        return data_root(stage)

    def fingerprint(self, job: StageJob) -> str | None:
        """See Runner.fingerprint."""
        return code(job)

    def create(self, job: StageJob, name: str) -> Container:
        """See Runner.create; the folder gets its name when it is complete."""
        working_folder(job)
        described = {
            "id": secrets.token_hex(32),
            "labels": dict(job.labels),
            "image": job.image,
            "created": datetime.now(UTC).isoformat(),
            "env": environment(job, self._folders.named(name)),
        }
        self._folders.add(name, described)
        return self.inspect(name)

    def start(self, container: Container, job: StageJob) -> None:
        """See Runner.start; when several start it at once, the lock decides."""
        command = [str(working_folder(job)), *shlex.split(job.command)]
        start_once(self._folders.of(container.id), command, self.environment(container.id))

    def find(self, name: str) -> Container | None:
        """See Runner.find."""
        try:
            return self.inspect(name)
        except ContainerGone:
            return None

    def inspect(self, container_id: str) -> Container:
        """See Runner.inspect."""
        return container_of(self._folders.of(container_id))

    def containers(self, labels: Mapping[str, str]) -> Sequence[Container]:
        """See Runner.containers."""
        listed = (self.find(path.name) for path in self._folders.all())
        return [each for each in listed if each and labels.items() <= each.labels.items()]

    def in_flight(self, at_most: int) -> int:
        """See Runner.in_flight."""
        running = (path for path in self._folders.all() if locked(path / "lock"))
        return sum(1 for _ in islice(running, at_most))

    async def lines(self, container_id: str, since: str = "") -> AsyncGenerator[Line, None]:
        """See Runner.lines."""
        with self._output(container_id) as output:
            lines = lines_of(output, since, lambda: self.inspect(container_id).running)
            async with aclosing(lines):
                async for line in lines:
                    yield line

    def tail(self, container_id: str) -> Sequence[str]:
        """See Runner.tail."""
        with self._output(container_id) as output:
            return [line_of(entry).text for entry in output.last_lines(TAIL_LINES)]

    def output_location(self, container_id: str) -> str:
        """See Runner.output_location; the folder's name changes when the stage is set aside."""
        path = self._folders.of(container_id) / "output"
        older = path.with_name("output.1")
        kept = container_log.FILES * container_log.MEGABYTES
        return f"{older} and {path} (its last {kept} MB)" if older.exists() else str(path)

    def environment(self, container_id: str) -> Mapping[str, str]:
        """See Runner.environment."""
        env: dict[str, str] = description(self._folders.of(container_id))["env"]
        return env

    def result(self, container_id: str, stage: str) -> bytes:
        """See Runner.result."""
        path = self._folders.of(container_id) / "result.json"
        try:
            file = path.lstat()
            check_result_file(stage, str(path), file.st_size, plain=S_ISREG(file.st_mode))
            return path.read_bytes()
        except FileNotFoundError:
            return b""
        except PermissionError as error:
            raise StageInvalid(
                f"stage {stage}: its result {path} cannot be read; do not change its mode"
            ) from error

    def sample(self, container_id: str) -> Usage | None:  # noqa: ARG002
        """See Runner.sample; the shim gets exact figures from the kernel when the process has ended."""
        return None

    def pinned(self, container: Container) -> str | None:  # noqa: ARG002
        """See Runner.pinned; `image` only names the image that the process replaces."""
        return None

    def stop(self, container_id: str) -> None:
        """See Runner.stop; the whole process group is stopped, because children must not outlive a stage."""
        stop_group(pid_of(self._folders.of(container_id)), lambda: self.inspect(container_id).running)

    def set_aside(self, container_id: str, try_number: int) -> None:
        """See Runner.set_aside; the folder gets another name."""
        name = self._folders.of(container_id).name
        if not is_set_aside(name):
            self._folders.rename(name, name_aside(name, try_number))

    def remove(self, container_id: str) -> None:
        """See Runner.remove."""
        self.stop(container_id)
        self._folders.remove(container_id)

    def _output(self, container_id: str) -> Output:
        path = self._folders.of(container_id)
        (path / "output").touch()
        return Output(path)
