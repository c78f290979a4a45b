"""RankAlpha's API and frontend, called from outside of a task: by the settings that the tasks have."""

import os
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import requests

from rankalpha.airflow_api import AirflowApi, AirflowApiError
from rankalpha.no_proxy import direct
from rankalpha.pipeline.pipelines import Pipeline
from rankalpha.settings import SettingsError
from rankalpha.stages.call import Call
from rankalpha.stages.env_file import read_env_file
from rankalpha.stages.grading import CALLS
from rankalpha.stages.profile import FROM_ENVIRONMENT, Profile, Variables, profile_dir
from rankalpha.texts import ANSWER, cut

HIDDEN = "***"  # instead of a value that sounds secret
SECONDS = 600.0  # the API may have gigabytes to read


class ServiceError(Exception):
    """A service does not do what it is asked for; the message says why, `status` is its answer's, or 0."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


def service_profile(api: AirflowApi, pipeline: Pipeline) -> Profile:
    """Return the settings of the services of a pipeline's market; Variables are asked for by `api`."""
    defaults = {key: value for call in CALLS for key, value in call.defaults.items()}
    return profile_of(api, pipeline, "api", defaults)


def profile_of(api: AirflowApi, pipeline: Pipeline, name: str, defaults: Mapping[str, str]) -> Profile:
    """Return the settings of env/<profile>/<name>.env of a pipeline's market, under the Variables."""

    def lookup(key: str) -> str | None:
        return _variable(api, key)

    folder = profile_dir(pipeline.market.profile, lookup)
    return Profile(read_env_file(folder / f"{name}.env"), defaults, lookup)


def variables_of(api: AirflowApi) -> Variables:
    """Return Airflow's Variables as a stage's task has them.

    Airflow's API does not show the value of a key that sounds secret: SettingsError, unless the environment
    has it.
    """

    def value_of(key: str) -> str | None:
        given = f"{FROM_ENVIRONMENT}{key.upper()}"
        value = os.environ.get(given) or _variable(api, key)
        if value == HIDDEN:
            raise SettingsError(
                f"{key} is a Variable whose value Airflow's API does not show; give it as {given}"
            )
        return value

    keys = frozenset(each["key"] for each in api.every("variables", "variables", order_by="key"))
    return Variables(keys, value_of)


def _variable(api: AirflowApi, key: str) -> str | None:
    try:
        return str(api.get(f"variables/{key}")["value"])
    except AirflowApiError as error:
        if error.status == HTTPStatus.NOT_FOUND:
            return None
        raise


def call(profile: Profile, made: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Make a call with `body`; raises ServiceError."""
    url = profile.line(made.url_key).rstrip("/") + profile.line(f"{made.name}_PATH")
    return ask(profile.line(f"{made.name}_METHOD").upper(), url, json=body)


def ask(method: str, url: str, **arguments: Any) -> dict[str, Any]:
    """Return the JSON object that a service answers; raises ServiceError."""
    try:
        response = requests.request(method, url, proxies=direct(url), timeout=SECONDS, **arguments)
    except requests.RequestException as error:
        raise ServiceError(f"{method} {url} failed: {error}") from error
    said = f"{method} {response.url} answered {response.status_code}: {cut(response.text, ANSWER)}"
    if not response.ok:
        raise ServiceError(said, response.status_code)
    try:
        answer = response.json()
    except ValueError as error:
        raise ServiceError(said) from error
    if not isinstance(answer, dict):
        raise ServiceError(said)
    return answer
