"""Which versions a task is given: those of its inputs, of older batches, and those that must be kept."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Protocol

from airflow.sdk import Asset, Context

from rankalpha.operators.models import in_use, model_of
from rankalpha.pipeline.batch import ASSET_TRIGGERED, FIGURES_KEY, BatchError
from rankalpha.pipeline.market import Market
from rankalpha.pipeline.reuse import REUSABLE_KEY
from rankalpha.pipeline.sessions import market_day
from rankalpha.pipeline.steps import SHAPE, TRAINING
from rankalpha.pipeline.versions import VERSION, VERSIONS_KEY, Given, Version, earlier_versions, kept
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
    market, stored = stage.market, _stored()
    return Given(
        inputs={**inputs_of(context, task, batch, market), **model_of(stage, batch)},
        earlier={
            dataset: earlier_versions(stored(market.dataset_name(dataset)), batch, most)
            for dataset, most in stage.earlier.items()
        },
        keep=_kept(stored, market, stage.output) if stage.prunes else None,
    )


def request(context: Context, task: Reader, batch: str, call: Call) -> dict[str, Any]:
    """Return what a call says about versions: the name of its own, `inputs` and what to `keep`.

    Also the `session` that the batch's prices are of, where the market has a calendar, and the
    `sentiment_weight` of a market or variant that has one. Raises BatchError for a variant without versions
    to read.
    """
    read, weight = inputs_of(context, task, batch, call.market), call.market.sentiment_weight
    if call.market.challenges and len(read) < len(task.consumes):
        names = " and ".join(asset.name for asset in task.consumes)
        raise BatchError(
            f"batch {batch} has no versions of {names}; a variant needs stages that take part in versions"
        )
    return {
        "version": Identity.of(context, call.name.lower(), batch).version,
        "inputs": {dataset: version.reference for dataset, version in read.items()},
        "keep": _kept(_stored(), call.market, call.output),
        **_session(call.market, batch),
        **({} if weight is None else {"sentiment_weight": weight}),
    }


def _session(market: Market, batch: str) -> dict[str, Any]:
    day = market_day(market.dataset_name(SHAPE[0].writes), batch)
    if day is None or day.session is None:
        return {}
    close = day.next_close.isoformat() if day.next_close else None
    return {"session": {"newest": day.session.isoformat(), "behind": day.behind, "next_close": close}}


def published_version(dataset: str, batch: str) -> Version | None:
    """Return the version of a batch that is published in a dataset; None without one."""
    return Version.of(published_versions(dataset).get(batch), f"batch {batch} in {dataset}")


def published_versions(dataset: str) -> Mapping[str, Any]:
    """Return what the state store of any dataset has of its versions, by batch."""
    from airflow.sdk.execution_time.context import AssetStateStoreAccessor  # noqa: PLC0415  heavy

    return _versions(AssetStateStoreAccessor(name=dataset))


def figures(dataset: str) -> Mapping[str, Any]:
    """Return the figures of a dataset's newest batches, by batch, see `rankalpha.pipeline.batch.earlier`."""
    from airflow.sdk.execution_time.context import AssetStateStoreAccessor  # noqa: PLC0415  heavy

    found: Mapping[str, Any] = AssetStateStoreAccessor(name=dataset).get(FIGURES_KEY, {}) or {}  # type: ignore[assignment]
    return found


def reusable(dataset: str) -> Mapping[str, Any]:
    """Return what the state store of any dataset has to be used again, see `rankalpha.pipeline.reuse`."""
    from airflow.sdk.execution_time.context import AssetStateStoreAccessor  # noqa: PLC0415  heavy

    entries: Mapping[str, Any] = AssetStateStoreAccessor(name=dataset).get(REUSABLE_KEY, {}) or {}  # type: ignore[assignment]
    return entries


def _versions(store: Any) -> Mapping[str, Any]:
    versions: Mapping[str, Any] = store.get(VERSIONS_KEY, {}) or {}
    return versions


def inputs_of(context: Context, task: Reader, batch: str, market: Market) -> dict[str, Version]:
    """Return the versions that a task reads, by the default market's name of the dataset."""
    return {market.plain(name): version for name, version in versions_of(context, task, batch).items()}


def versions_of(context: Context, task: Reader, batch: str) -> dict[str, Version]:
    """Return the versions that a task reads, by dataset.

    A run that events have started reads the versions of these events, so that it and its retries read the
    same. Any other run, and a task that a person has cleared, read what is published now.
    """
    events = joined(context, task, batch)
    found = {}
    for asset in task.consumes:
        if asset.name in events:
            value = events[asset.name].get(VERSION)
        else:
            value = _versions(context["asset_state_store"][asset]).get(batch)
        if version := Version.of(value, f"batch {batch} in {asset.name}"):
            found[asset.name] = version
    return found


def cleared(context: Context, task: Reader) -> bool:
    """Return whether a person has cleared the task: Airflow then grants more attempts than it declares."""
    return bool(context["ti"].max_tries > (task.retries or 0))


def joined(context: Context, task: Reader, batch: str) -> dict[str, Mapping[str, Any]]:
    """Return the `extra` of the newest events that the run has joined, by dataset.

    Empty for a task that a person has cleared.
    """
    if cleared(context, task) or context["dag_run"].run_type != ASSET_TRIGGERED:
        return {}
    triggering: Any = context.get("triggering_asset_events") or {}
    found = {}
    for asset, events in triggering.items():
        own = [event for event in events if event.partition_key in (None, batch)]
        if own:
            newest = max(own, key=lambda event: event.timestamp)
            found[asset.name] = newest.extra or {}
    return found


def _stored() -> Stored:
    """Return a function that asks for the stored versions of a dataset, once."""
    return cache(published_versions)


def _kept(stored: Stored, market: Market, folder: str) -> dict[str, Any]:
    """Return which versions below a folder are needed: only the steps from its own on can have them.

    A champion and its challengers share the folder, so that each keeps what the others have published.
    """
    every = (SHAPE[0], *([TRAINING] if market.training else []), *SHAPE[1:])  # a model is made of prices
    first = next(index for index, step in enumerate(every) if folder in step.folders)
    names = [name for step in every[first:] for name in market.alike(step.writes)]
    stores = [stored(name) for name in names] + (in_use(market) if folder in TRAINING.folders else [])
    needed = kept(folder, stores, MOST_KEPT)
    return {**needed, "days": settings().keep_unpublished_days}
