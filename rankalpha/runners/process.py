"""Runs stages as processes of this machine, for the embedded stack, which has no Docker engine.

The command, its environment and its result are those of the container, and so are its guarantees. A folder
takes a name once, so there is never a second process. A shim outlives the runner and keeps output and exit
status. A process has no file system and network of its own, and no real limits on CPU, memory and processes.
Its exit status is lost when its shim is killed too.
"""

import errno
import json
import os
import secrets
import shlex
import shutil
import signal
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, suppress
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from stat import S_ISREG

from rankalpha.runners import container_log
from rankalpha.runners.base import GRACE_SECONDS, TAIL_LINES, Runner
from rankalpha.runners.container import Container, Usage
from rankalpha.runners.failures import ContainerGone, NameTaken, StageInvalid
from rankalpha.runners.identity import is_set_aside, name_aside
from rankalpha.runners.line import Line
from rankalpha.runners.process_code import code
from rankalpha.runners.process_environment import data_root, environment, working_folder
from rankalpha.runners.process_folder import container_of, description, locked, read
from rankalpha.runners.process_lines import lines_of
from rankalpha.runners.process_output import Output, line_of
from rankalpha.runners.process_start import pid_of, start_once
from rankalpha.runners.result_file import check_result_file
from rankalpha.settings import settings
from rankalpha.stages.job import StageJob
from rankalpha.stages.stage import Stage


class ProcessRunner(Runner):
    """A folder for each process: its description, lock, output, exit status and result."""

    def __init__(self) -> None:
        self._root = settings().process_dir.absolute()

    def data_root(self, stage: Stage) -> str:
        """See Runner.data_root; a market has a folder of its own."""
        return data_root(stage)

    def fingerprint(self, job: StageJob) -> str | None:
        """See Runner.fingerprint."""
        return code(job)

    def create(self, job: StageJob, name: str) -> Container:
        """See Runner.create; the folder gets its name when it is complete."""
        working_folder(job)
        made = self._root / f".{secrets.token_hex(8)}"
        made.mkdir(mode=0o700, parents=True)
        described = {
            "id": secrets.token_hex(32),
            "labels": dict(job.labels),
            "image": job.image,
            "created": datetime.now(UTC).isoformat(),
            "env": environment(job, self._root / name),
        }
        (made / "container.json").write_text(json.dumps(described), encoding="utf-8")
        try:
            made.rename(self._root / name)
        except OSError as error:
            shutil.rmtree(made)
            if error.errno not in {errno.EEXIST, errno.ENOTEMPTY}:
                raise
            raise NameTaken(f"process {name} exists already") from error
        return self.inspect(name)

    def start(self, container: Container, job: StageJob) -> None:
        """See Runner.start; when several start it at once, the lock decides."""
        command = [str(working_folder(job)), *shlex.split(job.command)]
        start_once(self._path(container.id), command, self.environment(container.id))

    def find(self, name: str) -> Container | None:
        """See Runner.find."""
        try:
            return self.inspect(name)
        except ContainerGone:
            return None

    def inspect(self, container_id: str) -> Container:
        """See Runner.inspect."""
        return container_of(self._path(container_id))

    def containers(self, labels: Mapping[str, str]) -> Sequence[Container]:
        """See Runner.containers."""
        listed = (self.find(path.name) for path in self._paths())
        return [each for each in listed if each and labels.items() <= each.labels.items()]

    def in_flight(self, at_most: int) -> int:
        """See Runner.in_flight."""
        running = (path for path in self._paths() if locked(path / "lock"))
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
        path = self._path(container_id) / "output"
        older = path.with_name("output.1")
        kept = container_log.FILES * container_log.MEGABYTES
        return f"{older} and {path} (its last {kept} MB)" if older.exists() else str(path)

    def environment(self, container_id: str) -> Mapping[str, str]:
        """See Runner.environment."""
        env: dict[str, str] = description(self._path(container_id))["env"]
        return env

    def result(self, container_id: str, stage: str) -> bytes:
        """See Runner.result."""
        path = self._path(container_id) / "result.json"
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

    def digest(self, container: Container) -> str | None:  # noqa: ARG002
        """See Runner.digest; `image` only names the image that the process replaces."""
        return None

    def stop(self, container_id: str) -> None:
        """See Runner.stop; the whole process group is stopped, because children must not outlive a stage."""
        pid = pid_of(self._path(container_id))
        for number in (signal.SIGTERM, signal.SIGKILL):
            if not pid or not self.inspect(container_id).running:
                return
            with suppress(ProcessLookupError):
                os.killpg(pid, number)
            deadline = time.monotonic() + GRACE_SECONDS
            while self.inspect(container_id).running and time.monotonic() < deadline:
                time.sleep(0.02)

    def set_aside(self, container_id: str, try_number: int) -> None:
        """See Runner.set_aside; the folder gets another name."""
        path = self._path(container_id)
        if not is_set_aside(path.name):
            path.rename(self._root / name_aside(path.name, try_number))

    def remove(self, container_id: str) -> None:
        """See Runner.remove; the folder is renamed first, so that nobody finds half of it."""
        self.stop(container_id)
        hidden = self._root / f".{secrets.token_hex(8)}"
        self._path(container_id).rename(hidden)
        shutil.rmtree(hidden)

    def _path(self, container_id: str) -> Path:
        """Return the folder of a container, given its name or its id."""
        for path in self._paths():
            if path.name == container_id or read(path / "container.json").get("id") == container_id:
                return path
        raise ContainerGone(f"process {container_id} no longer exists")

    def _paths(self) -> list[Path]:
        return [path for path in self._root.glob("rankalpha-*") if path.is_dir()]

    def _output(self, container_id: str) -> Output:
        path = self._path(container_id)
        (path / "output").touch()
        return Output(path)
