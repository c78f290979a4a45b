"""A third runner, as short as one can be: its engine is a dictionary, and its containers are processes.

As with pods of Kubernetes, a container's name cannot change: setting aside is a mark.
"""

import asyncio
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from rankalpha.runners.base import TAIL_LINES, Runner
from rankalpha.runners.container import Container, Usage
from rankalpha.runners.failures import ContainerGone, NameTaken
from rankalpha.runners.line import Line
from rankalpha.stages.job import StageJob
from rankalpha.stages.stage import Stage


@dataclass
class Pod:
    """What the engine keeps of a container."""

    container: Container
    job: StageJob
    folder: Path
    process: subprocess.Popen[bytes] | None = None
    ended: datetime | None = field(default=None)

    def now(self) -> Container:
        """Return the container as it is now."""
        status = self.process.poll() if self.process else None
        if self.process and status is None:
            return replace(self.container, running=True)
        if status is not None and self.ended is None:
            self.ended = datetime.now(UTC)
        return replace(self.container, running=False, status=status, ended=self.ended)

    def printed(self) -> list[Line]:
        """Return the lines until now; their times only have to sort."""
        text = (self.folder / "output").read_text()
        return [Line(f"{number:09}", line) for number, line in enumerate(text.splitlines())]


ENGINE: dict[str, Pod] = {}


class ThrowawayRunner(Runner):
    """See Runner."""

    def data_root(self, stage: Stage) -> str:
        return str(Path(tempfile.gettempdir(), "data", stage.market.folder))

    def fingerprint(self, job: StageJob) -> str | None:
        return job.image

    def create(self, job: StageJob, name: str) -> Container:
        if self.find(name):
            raise NameTaken(name)
        folder = Path(tempfile.mkdtemp())
        (folder / "output").touch()
        made = Container(
            uuid4().hex, name, job.labels, running=False, created=datetime.now(UTC), image=job.image
        )
        ENGINE[made.id] = Pod(made, job, folder)
        return made

    def start(self, container: Container, job: StageJob) -> None:
        pod = ENGINE[container.id]
        env = {**job.env, "RANKALPHA_RESULT": str(pod.folder / "result.json")}
        with (pod.folder / "output").open("wb") as output:
            pod.process = subprocess.Popen(shlex.split(job.command), env=env, stdout=output, stderr=output)
        pod.container = replace(pod.container, started=datetime.now(UTC))

    def find(self, name: str) -> Container | None:
        pods = (pod.now() for pod in ENGINE.values())
        return next((it for it in pods if name == it.id or (name == it.name and not it.set_aside)), None)

    def inspect(self, container_id: str) -> Container:
        return self._pod(container_id).now()

    def containers(self, labels: Mapping[str, str]) -> Sequence[Container]:
        return [pod.now() for pod in ENGINE.values() if labels.items() <= pod.container.labels.items()]

    def in_flight(self, at_most: int) -> int:
        return min(at_most, sum(container.running for container in self.containers({})))

    async def lines(self, container_id: str, since: str = "") -> AsyncGenerator[Line, None]:
        count, running = 0, True
        while running:
            running = self.inspect(container_id).running
            lines = self._pod(container_id).printed()
            for line in lines[count:]:
                if line.time >= since:
                    yield line
            count = len(lines)
            await asyncio.sleep(0.05)

    def tail(self, container_id: str) -> Sequence[str]:
        return [line.text for line in self._pod(container_id).printed()[-TAIL_LINES:]]

    def output_location(self, container_id: str) -> str:
        return str(self._pod(container_id).folder / "output")

    def environment(self, container_id: str) -> Mapping[str, str]:
        return self._pod(container_id).job.env

    def result(self, container_id: str, stage: str) -> bytes:
        with suppress(FileNotFoundError):
            return (self._pod(container_id).folder / "result.json").read_bytes()
        return b""

    def sample(self, container_id: str) -> Usage | None:
        return None

    def pinned(self, container: Container) -> str | None:
        return None

    def stop(self, container_id: str) -> None:
        if (process := self._pod(container_id).process) and process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(60)

    def set_aside(self, container_id: str, try_number: int) -> None:
        pod = self._pod(container_id)
        pod.container = replace(pod.container, set_aside=True)

    def remove(self, container_id: str) -> None:
        self.stop(container_id)
        shutil.rmtree(ENGINE.pop(container_id).folder)

    def _pod(self, container_id: str) -> Pod:
        if container_id not in ENGINE:
            raise ContainerGone(container_id)
        return ENGINE[container_id]
