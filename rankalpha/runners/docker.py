"""Runs a stage in a container, through the provider's DockerHook.

DockerOperator is not used itself: it cannot set real CPU and process limits, reads a result only as a pickle,
and keeps a container's identity in memory only. Containers carry names and labels, so that what belongs to
which task is known. All requests are plain HTTP, none takes its connection over, so that
`rankalpha.docker_proxy` can stand between.
"""

import logging
import secrets
from collections import deque
from functools import cached_property
from typing import Any

from airflow.providers.docker.hooks.docker import DockerHook
from airflow.sdk.exceptions import AirflowException
from docker import APIClient
from docker.errors import APIError
from docker.types import Mount
from requests import RequestException
from urllib3.exceptions import HTTPError

from rankalpha.runners.base import GRACE_SECONDS, TAIL_LINES, Runner, StageFailed, check_exit, pass_on
from rankalpha.runners.engine import check_there, explained, lines, memory_hint, result
from rankalpha.settings import settings
from rankalpha.stage import RESULT_PATH, StageJob

logger = logging.getLogger(__name__)

GONE = (404, 409)  # never made or removed already, by whomever; or its removal is under way


class DockerRunner(Runner):
    """One container a stage."""

    def __init__(self) -> None:
        self._container = ""  # its name: known before it is created, so that `stop` finds it at any time
        self._stopped = False

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
        """See Runner.run; what the engine lacks is named, what it refuses is quoted."""
        try:
            check_there(self._client, job)
            return self._run(job, log)
        except (APIError, RequestException, HTTPError) as error:
            if self._stopped:  # its container has gone
                raise StageFailed(f"stage {job.stage.name} of batch {job.batch} was stopped") from error
            raise explained(error, job) from error

    def _run(self, job: StageJob, log: Any) -> bytes:
        batch = job.batch.replace(":", "-")
        self._container = name = f"rankalpha-{job.stage.name}-{batch}-{secrets.token_hex(4)}"
        try:
            self._create(job)
            self._client.start(name)
            log.info("Started container %s from image %s", name, job.image)
            tail: deque[str] = deque(maxlen=TAIL_LINES)
            # the engine keeps the output, so what was printed before this is not lost
            for line in lines(self._client.logs(name, stream=True, follow=True)):
                pass_on(line, log, tail)
            status = self._client.wait(name)["StatusCode"]
            state = self._client.inspect_container(name)["State"]
            hint = memory_hint(job, status, state["OOMKilled"])
            check_exit(job, status, tail, hint)
            if hint:
                log.warning("The stage says that it is done.%s", hint)
            return result(self._client, name, job)
        finally:
            self._remove()

    def _create(self, job: StageJob) -> None:
        data = dict.fromkeys(job.stage.data_dir_keys, "/data")
        self._client.create_container(
            name=self._container,
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
        if self._stopped:  # meanwhile: it must not start
            raise StageFailed(f"stage {job.stage.name} of batch {job.batch} was stopped")

    def stop(self) -> None:
        """Stop the container within the grace period and remove it."""
        self._stopped = True
        if self._container:
            self._remove()

    def _remove(self) -> None:
        try:
            self._client.stop(self._container, timeout=GRACE_SECONDS)
            # with the volumes that its image declares, which have no name; those with a name stay
            self._client.remove_container(self._container, v=True, force=True)
        except (APIError, RequestException) as error:  # no reason to lose the stage's result
            if getattr(error, "status_code", None) not in GONE:
                logger.warning("Container %s is left behind: %s", self._container, error)
