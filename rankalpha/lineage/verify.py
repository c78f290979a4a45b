"""Compares what is on the disk with what a batch has published, and with what that was made from.

The reference API has the data of all markets, and reads every byte again. It does so for the command `verify`
and for the task of `rankalpha_maintenance`, which sees no data itself.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rankalpha.airflow_api import AirflowApi
from rankalpha.lineage.batch import events_of, existing_run
from rankalpha.lineage.inputs import reference, version_of
from rankalpha.lineage.service import ask, service_profile
from rankalpha.pipeline.batch import BatchError
from rankalpha.pipeline.pipelines import Pipeline
from rankalpha.pipeline.versions import LONGEST, Version
from rankalpha.texts import cut

PATH = "/api/v1/verify"
PUBLISHED = "published"
AGAIN_AFTER = 2.0  # seconds; a person's publish-version has grades shown, and then emits their event


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

    Published grades must also be those that are shown, unless their run is about to have them shown. Empty
    for a batch without versions. Raises ServiceError, requests.RequestException or AirflowApiError.
    """
    verdicts = _verdicts(api, pipeline, key)
    if any(verdict.problems for verdict in verdicts):  # other grades may have been published meanwhile
        time.sleep(AGAIN_AFTER)
        verdicts = _verdicts(api, pipeline, key)
    return verdicts


def _verdicts(api: AirflowApi, pipeline: Pipeline, key: str) -> list[Verdict]:
    url = service_profile(api, pipeline).line("API_URL")
    seen: dict[tuple[str, str], Verdict] = {}
    for dataset, why, version, shown in _versions(api, pipeline, key):
        named = str(version.get("path")), str(version.get("sha256"))
        if named not in seen:
            try:
                Version.of(version, f"batch {key} in {dataset}")
                problems = problems_of(url, pipeline.market.folder, *named, shown=shown)
            except BatchError as error:  # a person has posted it
                problems = (str(error),)
            seen[named] = Verdict(dataset, cut(named[0], LONGEST), why, problems)
    return list(seen.values())


def _versions(
    api: AirflowApi, pipeline: Pipeline, key: str
) -> Iterator[tuple[str, str, Mapping[str, Any], bool]]:
    """Yield each version with its dataset, why it counts, and whether it must be shown; published first."""
    newest = [(step, events[-1]) for step in pipeline.steps if (events := events_of(api, step.writes, key))]
    made = [(step, event, found) for step, event in newest if (found := version_of(event["extra"] or {}))]
    for step, event, version in made:
        shown = step is pipeline.graded and _must_be_shown(api, event)
        yield event["name"], PUBLISHED, reference(version) or {}, shown
    for step, event, version in made:
        names = dict(zip(step.inputs, step.reads, strict=True))
        for name, read in version["inputs"].items():
            dataset = names.get(name) or pipeline.market.dataset_name(name)
            yield dataset, f"read by {event['name']}", read, False


def _must_be_shown(api: AirflowApi, event: Mapping[str, Any]) -> bool:
    """Return whether the run that has published grades has had them shown."""
    if not event["source_run_id"]:  # by publish-version, which has them shown first
        return True
    run = existing_run(api, f"dags/{event['source_dag_id']}/dagRuns", event["source_run_id"])
    return run is None or run["state"] == "success"


def problems_of(url: str, market: str, path: str, sha256: str, *, shown: bool = False) -> tuple[str, ...]:
    """Return what differs from a version, by the API at `url`; `market` is empty for the default one.

    A version of grades must also be the one that is `shown`, if asked for.
    """
    params = {"path": path, "sha256": sha256, **({"market": market} if market else {})}
    params |= {"shown": "true"} if shown else {}
    answer = ask("GET", f"{url.rstrip('/')}{PATH}", params=params)
    if answer.get("ok") is True:
        return ()
    return tuple(map(str, answer.get("problems") or ())) or (f"{path} is not as it was published",)
