"""Which versions a task is given: those of its inputs, of older batches, and those that must be kept."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Protocol

from airflow.sdk import Asset, Context

from rankalpha.pipeline import versions
from rankalpha.pipeline.market import Market
from rankalpha.pipeline.steps import SHAPE
from rankalpha.pipeline.versions import Given, Version
from rankalpha.runners.identity import Identity
from rankalpha.settings import settings
from rankalpha.stages.call import Call
from rankalpha.stages.stage import Stage

Stored = Callable[[str], Mapping[str, Any]]  # the stored versions of a dataset, by batch
MOST_KEPT = 100  # batches; a list of more would be long for an environment


class Reader(Protocol):
    """A task that consumes datasets."""

    @property
    def consumes(self) -> Sequence[Asset]:
        """The datasets."""

    retries: int | None


def given(context: Context, task: Reader, batch: str, stage: Stage) -> Given:
    """Return the versions for a stage; raises BatchError for an event with a version that cannot exist."""
    stored = _stored(stage.market)
    earlier: Sequence[Version] = ()
    if stage.earlier:
        earlier = versions.earlier_versions(stored(stage.earlier), batch, stage.most_earlier)
    return Given(
        inputs=_inputs(context, task, batch, stage.market),
        earlier=earlier,
        keep=_kept(stored, stage.output) if stage.prunes else None,
    )


def request(context: Context, task: Reader, batch: str, call: Call) -> dict[str, Any]:
    """Return what a call says about versions: the name of its own, `inputs` and what to `keep`."""
    read = _inputs(context, task, batch, call.market)
    return {
        "version": Identity.of(context, call.name.lower(), batch).version,
        "inputs": {dataset: version.reference for dataset, version in read.items()},
        "keep": _kept(_stored(call.market), call.output),
    }


def published_version(dataset: str, batch: str) -> Version | None:
    """Return the version of a batch that is published in a dataset; None without one."""
    return Version.of(versions.published_versions(dataset).get(batch), f"batch {batch} in {dataset}")


def _inputs(context: Context, task: Reader, batch: str, market: Market) -> dict[str, Version]:
    """Return the versions that a task reads, by the default market's name of the dataset."""
    names = {asset.name: asset.name.removeprefix(market.prefix) for asset in task.consumes}
    # Airflow grants a task that a person has cleared more attempts than it declares
    cleared = context["ti"].max_tries > (task.retries or 0)
    return versions.inputs(context, task.consumes, batch, names, cleared=cleared)


def _stored(market: Market) -> Stored:
    """Return a function that asks for the stored versions of a dataset, once."""
    return cache(lambda dataset: versions.published_versions(market.prefix + dataset))


def _kept(stored: Stored, folder: str) -> dict[str, Any]:
    """Return which versions below a folder are needed: only the steps from its own on can have them."""
    first = next(index for index, step in enumerate(SHAPE) if folder in step.folders)
    needed = versions.kept(folder, [stored(step.writes) for step in SHAPE[first:]], MOST_KEPT)
    return {**needed, "days": settings().keep_unpublished_days}
