"""What a market has published of its past batches, for `make plan`."""

from collections.abc import Iterable, Mapping
from functools import cache
from http import HTTPStatus
from typing import Any, Literal, NamedTuple

from rankalpha.airflow_api import AirflowApi, AirflowApiError
from rankalpha.health.comparison import newest
from rankalpha.lineage.inputs import version_of
from rankalpha.lineage.verify import problems_of
from rankalpha.pipeline.batch import BatchError
from rankalpha.pipeline.market import Market
from rankalpha.pipeline.steps import GRADING, TRAINING, Shape
from rankalpha.pipeline.versions import VERSION, Version, earlier_versions
from rankalpha.stages.model import named_model
from rankalpha.stages.profile import Variables
from rankalpha.stages.stage import Stage

Versions = dict[str, Version]  # by dataset of the default market


class Ended(Exception):
    """A batch is not compared; the message says why."""

    def __init__(self, kind: Literal["left_out", "failed", "blocked"], why: str) -> None:
        super().__init__(why)
        self.kind = kind


class Graded(NamedTuple):
    """The version of a batch's grades, what that was made from, and what steps read beside it."""

    grades: Version
    made_from: Versions
    beside: Versions


class Past:
    """The published batches of a market; `url` is the API's, which compares versions with the disk."""

    def __init__(self, api: AirflowApi, market: Market, url: str) -> None:
        self._market, self._url = market, url
        self.published = cache(lambda dataset: newest(api, market.dataset_name(dataset)))
        self._of_models = cache(lambda key: stored(api, market.dataset_name(TRAINING.writes), key))

    def graded(self, key: str, steps: Iterable[Shape]) -> Graded:
        """Return what a batch was graded from, as it is on the disk, and what `steps` read.

        Raises Ended for a batch that has lost some of it.
        """
        try:
            extra = self.published(GRADING.writes)[key]
            grades = Version.of(extra.get(VERSION), f"batch {key} in {GRADING.writes}")
            recorded = (version_of(extra) or {}).get("inputs", {})
            made_from = {name: self._version(each, key, name) for name, each in recorded.items()}
            names = {name for step in steps for name in step.reads} - made_from.keys()
            beside = {name: self._version(self._of_event(name, key), key, name) for name in names}
        except BatchError as error:
            raise Ended("left_out", str(error)) from error
        if grades is None:
            raise Ended("left_out", f"its {GRADING.writes} have no version")
        found = Graded(grades, made_from, beside)
        self._check(grades, *made_from.values(), *beside.values())
        return found

    def figures_before(self, dataset: str, key: str) -> Mapping[str, Any]:
        """Return what was published in a dataset for the batch before; empty without one."""
        published = self.published(dataset)
        return next((published[other] for other in published if other < key), {})

    def versions_before(self, dataset: str, key: str, most: int) -> tuple[Version, ...]:
        """Return the versions of the newest batches before a batch."""
        versions = {other: extra.get(VERSION) for other, extra in self.published(dataset).items()}
        return earlier_versions(versions, key, most)

    def model(self, stage: Stage, key: str, variables: Variables) -> Versions:
        """Return the model that a stage is given for a batch, as it is on the disk; empty without one.

        Raises Ended for one that is not there any more.
        """
        try:
            found = named_model(stage, key, self._of_models, variables)
        except BatchError as error:
            raise Ended("left_out", str(error)) from error
        self._check(*found.values())
        return found

    def _of_event(self, dataset: str, key: str) -> Any:
        return self.published(dataset).get(key, {}).get(VERSION)

    def _version(self, value: Any, key: str, dataset: str) -> Version:
        version = Version.of(value, f"batch {key} in {dataset}")
        if version is None:
            raise Ended("left_out", f"its {dataset} have no version")
        return version

    def _check(self, *versions: Version) -> None:
        """Raise Ended unless the versions are on the disk as they were published."""
        market = self._market.folder
        found = [problems_of(self._url, market, each.path, each.sha256) for each in versions]
        if problems := [problem for each in found for problem in each]:
            raise Ended("left_out", "; ".join(problems))


def stored(api: AirflowApi, dataset: str, key: str) -> Any:
    """Return what the state store of a dataset has of a key; None without it."""
    assets = api.every("assets", "assets", name_pattern=dataset)
    for asset in (each for each in assets if each["name"] == dataset):
        try:
            return api.get(f"assets/{asset['id']}/state-store/{key}")["value"]
        except AirflowApiError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
    return None
