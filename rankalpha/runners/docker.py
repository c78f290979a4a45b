"""Runs a stage in a container, through the provider's DockerHook.

DockerOperator is not used itself: it cannot set real CPU and process limits, reads a result only as a pickle,
and keeps a container's identity in memory only. Containers carry labels, so that what belongs to which task
is known.
"""

import io
import logging
import os
import tarfile
from collections import deque
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

from airflow.providers.docker.hooks.docker import DockerHook
from airflow.sdk.exceptions import AirflowException
from docker import APIClient
from docker.errors import APIError, ImageNotFound, NotFound
from docker.types import Mount
from requests import RequestException

from rankalpha.runners.base import GRACE_SECONDS, TAIL_LINES, Runner, StageFailed, StageInvalid, check_exit
from rankalpha.settings import settings
from rankalpha.stage import StageJob

logger = logging.getLogger(__name__)

RESULT_PATH = "/tmp/rankalpha-result.json"  # noqa: S108  in the container, which has its own /tmp
OUT_OF_MEMORY = " It ran out of memory: raise its MEM setting."


class DockerRunner(Runner):
    """One container a stage."""

    def __init__(self) -> None:
        self._container: str | None = None

    @cached_property
    def _client(self) -> APIClient:
        # no registry login; version "auto" asks the engine, which may be older than this client
        url = settings().docker_url
        try:
            return DockerHook(docker_conn_id=None, base_url=url, version="auto").get_conn()
        except AirflowException as error:  # the hook has logged what docker-py said
            raise StageFailed(
                f"no Docker engine answers at RANKALPHA_DOCKER_URL={url}; start it, or correct the setting"
            ) from error

    def run(self, job: StageJob, log: Any) -> bytes:
        """See Runner.run; a missing image, network or engine is named as such."""
        try:
            return self._run(job, log)
        except ImageNotFound as error:
            raise StageInvalid(
                f"image {job.image!r} is not there: build or pull it, or set its IMAGE"
            ) from error
        except NotFound as error:
            raise StageInvalid(f"stage {job.stage.name} cannot start: {error.explanation}") from error
        except APIError as error:
            raise StageFailed(f"Docker refused stage {job.stage.name}: {error.explanation}") from error
        except RequestException as error:
            url = settings().docker_url
            raise StageFailed(
                f"lost the Docker engine at {url} during stage {job.stage.name}: {error}"
            ) from error

    def _run(self, job: StageJob, log: Any) -> bytes:
        container = self._container = self._create(job)
        try:
            # attached before it starts, for else its first lines may be lost
            output = self._client.attach(container, stdout=True, stderr=True, stream=True)
            self._client.start(container)
            log.info("Started container %s from image %s", container[:12], job.image)
            tail: deque[str] = deque(maxlen=TAIL_LINES)
            for line in _lines(output):
                log.info("%s", line)
                tail.append(line)
            status = self._client.wait(container)["StatusCode"]
            state = self._client.inspect_container(container)["State"]
            check_exit(job, status, tail, hint=OUT_OF_MEMORY if state.get("OOMKilled") else "")
            return self._result(container)
        finally:
            self.stop()

    def _create(self, job: StageJob) -> str:
        data = dict.fromkeys(job.stage.data_dir_keys, "/data")
        created = self._client.create_container(
            image=job.image,
            command=job.command,
            working_dir=job.stage.working_dir,
            environment={**data, **job.env, "RANKALPHA_RESULT": RESULT_PATH},
            labels=dict(job.labels),
            host_config=self._client.create_host_config(
                network_mode=job.stage.network,
                mounts=[Mount(target=volume.target, source=volume.name) for volume in job.stage.volumes],
                nano_cpus=job.nano_cpus,  # a real limit; `cpu_shares` is only a weight
                mem_limit=job.memory_bytes,
                memswap_limit=job.memory_bytes,  # equal to the memory limit: no swap on top of it
                pids_limit=job.pids,
                init=True,  # reaps orphans and hands signals to the stage
            ),
        )
        return str(created["Id"])

    def _result(self, container: str) -> bytes:
        try:
            chunks, _ = self._client.get_archive(container, RESULT_PATH)
        except NotFound:  # RankAlpha's own images write none
            return b""
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
            file = archive.extractfile(os.path.basename(RESULT_PATH))  # noqa: PTH119  a name in the archive
            return file.read() if file else b""

    def stop(self) -> None:
        """Stop the container within the grace period and remove it."""
        container, self._container = self._container, None
        if container is not None:
            try:
                self._client.stop(container, timeout=GRACE_SECONDS)
                self._client.remove_container(container, force=True)
            except NotFound:
                pass  # somebody else has removed it
            except (APIError, RequestException) as error:  # no reason to lose the stage's result
                logger.warning("Container %s is left behind: %s", container[:12], error)


def _lines(chunks: Iterable[bytes]) -> Iterator[str]:
    """Split the output into lines; a chunk may end anywhere, also within a character."""
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (line.decode(errors="replace").rstrip() for line in lines)
    if rest:
        yield rest.decode(errors="replace").rstrip()
