"""Runs stages in containers of a Docker engine.

DockerOperator is not used itself: it cannot set real CPU and process limits, reads a result only as a pickle,
and keeps a container's identity in memory only. All requests are plain HTTP and no request takes its
connection over, so that `rankalpha.stack.docker_proxy` can stand between.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing

from docker import APIClient
from docker.errors import APIError

from rankalpha.runners import container_log
from rankalpha.runners.base import GRACE_SECONDS, TAIL_LINES, Runner
from rankalpha.runners.container import Container, Usage
from rankalpha.runners.docker_client import client_of
from rankalpha.runners.docker_create import DATA_ROOT, create_container
from rankalpha.runners.docker_engine import check_there, container_of, result
from rankalpha.runners.docker_errors import asking, starting
from rankalpha.runners.docker_figures import image_id, pinned, usage_of
from rankalpha.runners.docker_mounts import FOLDERS_SINCE, shares_a_volume, takes_folders
from rankalpha.runners.docker_output import last_lines, lines_of
from rankalpha.runners.failures import NameTaken, StageInvalid
from rankalpha.runners.file_system import RESULT_VOLUME, result_folder
from rankalpha.runners.identity import STAGE, is_set_aside, name_aside
from rankalpha.runners.line import Line
from rankalpha.settings import settings
from rankalpha.stages.job import StageJob
from rankalpha.stages.stage import Stage

CONFLICT = 409
MISSING = 404
SAMPLE_SECONDS = 2  # sampling may hold a task up


class DockerRunner(Runner):
    """The engine that RANKALPHA_DOCKER_URL names."""

    def __init__(self) -> None:
        self._url = settings().docker_url

    @property
    def _client(self) -> APIClient:
        return client_of(self._url)

    def data_root(self, stage: Stage) -> str:  # noqa: ARG002
        """See Runner.data_root; a market has volumes of its own."""
        return DATA_ROOT

    def fingerprint(self, job: StageJob) -> str | None:
        """See Runner.fingerprint; None for an image that the engine lacks."""
        with asking("inspecting an image"):
            return image_id(self._client, job.image)

    def create(self, job: StageJob, name: str) -> Container:
        """See Runner.create; what the engine lacks is named."""
        client = self._client
        with starting(job):
            check_there(client, job)
            if folders := shares_a_volume(job) and takes_folders(client):
                client = client_of(self._url, version=FOLDERS_SINCE)
            try:
                made = create_container(client, job, name, folders=folders)
            except APIError as error:
                if error.status_code == CONFLICT:
                    raise NameTaken(f"container {name} exists already") from error
                raise
        return self.inspect(made)

    def start(self, container: Container, job: StageJob) -> None:
        """See Runner.start."""
        try:
            with starting(job):
                self._client.put_archive(container.id, RESULT_VOLUME, result_folder())
                self._client.start(container.id)
        except StageInvalid:  # it never ran; the next one is created with corrected settings
            self.remove(container.id)
            raise

    def find(self, name: str) -> Container | None:
        """See Runner.find."""
        with asking(f"looking for container {name}"):
            try:
                return container_of(self._client.inspect_container(name))
            except APIError as error:
                if error.status_code == MISSING:
                    return None
                raise

    def inspect(self, container_id: str) -> Container:
        """See Runner.inspect."""
        with asking("inspecting a container"):
            return container_of(self._client.inspect_container(container_id))

    def containers(self, labels: Mapping[str, str]) -> Sequence[Container]:
        """See Runner.containers; a container that is removed meanwhile is left out."""
        wanted = [f"{key}={value}" for key, value in labels.items()]
        with asking("listing containers"):
            listed = self._client.containers(all=True, filters={"label": wanted})
            return [container for each in listed if (container := self.find(each["Id"]))]

    def in_flight(self, at_most: int) -> int:
        """See Runner.in_flight."""
        running = {"label": STAGE, "status": "running"}
        with asking("listing containers"):
            return len(self._client.containers(filters=running, limit=at_most))

    async def lines(self, container_id: str, since: str = "") -> AsyncGenerator[Line, None]:
        """See Runner.lines; the engine keeps the output, so what was printed before is not lost."""
        with asking("reading a container's output"):
            async with aclosing(lines_of(self._url, container_id, since)) as lines:
                async for line in lines:
                    yield line

    def tail(self, container_id: str) -> Sequence[str]:
        """See Runner.tail."""
        with asking("reading a container's output"):
            return last_lines(self._client, container_id, TAIL_LINES)

    def output_location(self, container_id: str) -> str:
        """See Runner.output_location; by its id, because the name changes when the container is set aside."""
        megabytes = container_log.FILES * container_log.MEGABYTES
        return f"docker logs {container_id[:12]} (its last {megabytes} MB)"

    def environment(self, container_id: str) -> Mapping[str, str]:
        """See Runner.environment."""
        with asking("inspecting a container"):
            pairs = self._client.inspect_container(container_id)["Config"]["Env"] or ()
        return dict(pair.partition("=")[::2] for pair in pairs)

    def result(self, container_id: str, stage: str) -> bytes:
        """See Runner.result."""
        with asking("reading a stage's result"):
            return result(self._client, container_id, stage)

    def sample(self, container_id: str) -> Usage | None:
        """See Runner.sample; the engine keeps no figures of a container that has ended."""
        with asking("sampling a container"):
            client = client_of(self._url, SAMPLE_SECONDS)
            return usage_of(client.stats(container_id, stream=False, one_shot=True))

    def pinned(self, container: Container) -> str | None:
        """See Runner.pinned."""
        with asking("inspecting an image"):
            return pinned(self._client, container)

    def stop(self, container_id: str) -> None:
        """See Runner.stop."""
        with asking("stopping a container"):
            self._client.stop(container_id, timeout=GRACE_SECONDS)

    def set_aside(self, container_id: str, try_number: int) -> None:
        """See Runner.set_aside; the container gets another name."""
        name = self.inspect(container_id).name
        if not is_set_aside(name):
            with asking("renaming a container"):
                self._client.rename(container_id, name_aside(name, try_number))

    def remove(self, container_id: str) -> None:
        """See Runner.remove."""
        with asking("removing a container"):
            # with its volumes without a name, the result's and its image's; volumes with a name stay
            self._client.remove_container(container_id, v=True, force=True)
