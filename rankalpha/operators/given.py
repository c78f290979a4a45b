"""Which versions a task is given: those of its inputs, of older batches, and those that must be kept."""

from collections.abc import Sequence
from typing import Protocol

from airflow.sdk import Asset, Context

from rankalpha.pipeline import versions
from rankalpha.pipeline.market import Market
from rankalpha.pipeline.steps import DATASETS
from rankalpha.pipeline.versions import Given, Version
from rankalpha.stages.stage import Stage

MOST_KEPT = 100  # batches; a list of more would be long for an environment


class Reader(Protocol):
    """A task that consumes datasets."""

    @property
    def consumes(self) -> Sequence[Asset]:
        """The datasets."""

    retries: int | None


def given(context: Context, task: Reader, batch: str, stage: Stage) -> Given:
    """Return the versions for a stage; raises BatchError for an event with a version that cannot exist."""
    market = stage.market
    earlier: Sequence[Version] = ()
    if stage.earlier:
        stored = versions.published_versions(market.prefix + stage.earlier)
        earlier = versions.earlier_versions(stored, batch, stage.most_earlier)
    return Given(
        inputs=inputs(context, task, batch, market),
        earlier=earlier,
        keep=kept(market, stage.output) if stage.prunes else None,
    )


def inputs(context: Context, task: Reader, batch: str, market: Market) -> dict[str, Version]:
    """Return the versions that a task reads, by the default market's name of the dataset."""
    names = {asset.name: asset.name.removeprefix(market.prefix) for asset in task.consumes}
    # Airflow grants a task that a person has cleared more attempts than it declares
    cleared = context["ti"].max_tries > (task.retries or 0)
    return versions.inputs(context, task.consumes, batch, names, cleared=cleared)


def kept(market: Market, folder: str) -> dict[str, object]:
    """Return which versions below a folder are needed, see `rankalpha.pipeline.versions.kept`."""
    stores = [versions.published_versions(market.prefix + name) for name in DATASETS.values()]
    return versions.kept(folder, stores, MOST_KEPT)
