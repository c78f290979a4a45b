"""Compares what is on the disk with what a batch has published, and with what that was made from.

The reference API has the data of all markets, and reads every byte again. It does so for the command `verify`
and for the task of `rankalpha_maintenance`, which sees no data itself.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import requests

from rankalpha.airflow_api import AirflowApi, AirflowApiError
from rankalpha.lineage.batch import events_of
from rankalpha.lineage.inputs import reference, version_of
from rankalpha.no_proxy import direct
from rankalpha.pipeline.pipelines import Pipeline
from rankalpha.settings import settings
from rankalpha.stages.env_file import read_env_file
from rankalpha.stages.grading import GRADING_REFRESH
from rankalpha.stages.profile import Profile, profile_dir
from rankalpha.texts import ANSWER, cut

PATH = "/api/v1/verify"
SECONDS = 600.0  # to read gigabytes again


class CannotVerify(Exception):
    """The API cannot say what is on the disk; the message says why, `status` is what it answered, or 0."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Verdict:
    """What the disk has of a version: `problems` is empty when it is as it was published.

    `why` is `published`, or `read by <dataset>`.
    """

    dataset: str
    path: str
    why: str
    problems: tuple[str, ...]


def verify_batch(api: AirflowApi, pipeline: Pipeline, key: str) -> list[Verdict]:
    """Return a verdict on each version that a batch has published or was made from.

    Empty for a batch without versions. Raises CannotVerify, requests.RequestException or AirflowApiError.
    """
    url = api_url(api, pipeline)
    seen: dict[tuple[str, str], Verdict] = {}
    for dataset, why, version in _versions(api, pipeline, key):
        named = str(version["path"]), str(version["sha256"])
        if named not in seen:
            seen[named] = Verdict(dataset, named[0], why, _problems(url, pipeline.market.folder, *named))
    return list(seen.values())


def api_url(api: AirflowApi, pipeline: Pipeline) -> str:
    """Return the address of the API of a pipeline's market, as its tasks find it."""
    call = GRADING_REFRESH.of(pipeline.market)

    def lookup(key: str) -> str | None:
        try:
            return str(api.get(f"variables/{key}")["value"])
        except AirflowApiError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    file = read_env_file(profile_dir(pipeline.market.profile, lookup) / "api.env")
    return Profile(file, {call.url_key: settings().api_url}, lookup).line(call.url_key).rstrip("/")


def _versions(api: AirflowApi, pipeline: Pipeline, key: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield each version with its dataset, and why it counts: what is published first."""
    newest = [events[-1] for step in pipeline.steps if (events := events_of(api, step.writes, key))]
    made = [(event["name"], version) for event in newest if (version := version_of(event["extra"] or {}))]
    for dataset, version in made:
        yield dataset, "published", reference(version) or {}
    for dataset, version in made:
        for name, read in (version.get("inputs") or {}).items():
            yield f"{pipeline.market.prefix}{name}", f"read by {dataset}", read


def _problems(url: str, market: str, path: str, sha256: str) -> tuple[str, ...]:
    params = {"path": path, "sha256": sha256, **({"market": market} if market else {})}
    try:
        response = requests.get(f"{url}{PATH}", params, proxies=direct(url), timeout=SECONDS)
    except requests.ConnectionError as error:
        raise CannotVerify(f"RankAlpha's API does not answer at {url}: is it running?") from error
    if not response.ok:
        said = f"GET {response.url} answered {response.status_code}: {cut(response.text, ANSWER)}"
        raise CannotVerify(said, response.status_code)
    try:
        answer = response.json()
        return () if answer["ok"] else tuple(map(str, answer["problems"])) or ("it is not as published",)
    except (ValueError, KeyError, TypeError) as error:
        raise CannotVerify(f"GET {response.url} answered {cut(response.text, ANSWER)!r}") from error
