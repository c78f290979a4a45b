"""The client of a Docker engine, by the provider's DockerHook."""

from functools import lru_cache

from airflow.providers.docker.hooks.docker import DockerHook
from airflow.sdk.exceptions import AirflowException
from docker import APIClient
from docker.errors import DockerException
from requests import RequestException

from rankalpha.runners.failures import EngineLost

API_VERSION = "1.44"  # of Docker 25; to ask an engine for its version takes longer than most requests
ANSWER_SECONDS = 60


@lru_cache(maxsize=3)
def client_of(url: str, timeout: int = ANSWER_SECONDS, version: str = API_VERSION) -> APIClient:
    """Return the client for an engine; EngineLost when none answers there."""
    try:
        # no registry login
        hook = DockerHook(docker_conn_id=None, base_url=url, version=version, timeout=timeout)
        client = hook.get_conn()
    except (AirflowException, DockerException, RequestException) as error:  # the hook's, docker-py's, below
        raise EngineLost(
            f"no Docker engine answers at RANKALPHA_DOCKER_URL={url}; start it (Docker 25 or newer), "
            "or correct the setting"
        ) from error
    return client
