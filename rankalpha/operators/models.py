"""Which model a stage is given, and which models must be kept."""

from collections.abc import Mapping, Sequence
from typing import Any

from rankalpha.pipeline.champion import CHAMPION, Entry
from rankalpha.pipeline.market import Market
from rankalpha.pipeline.steps import TRAINING
from rankalpha.pipeline.versions import Version
from rankalpha.stages.model import named_model
from rankalpha.stages.stage import Stage


def model_of(stage: Stage, batch: str) -> dict[str, Version]:
    """Return the model that a stage is given for a batch; see `rankalpha.stages.model`."""
    return named_model(stage, batch, lambda key: _store(stage.market).get(key))


def champions(market: Market) -> Sequence[Entry]:
    """Return the history of a market's champion, oldest first."""
    entries: Any = _store(market).get(CHAMPION, []) or []
    return tuple(entries)


def in_use(market: Market) -> list[Mapping[str, Any]]:
    """Return the champions as what a state store holds of versions, each by its batch."""
    return [{entry["batch"]: entry} for entry in champions(market)]


def _store(market: Market) -> Any:
    from airflow.sdk.execution_time.context import AssetStateStoreAccessor  # noqa: PLC0415  heavy

    return AssetStateStoreAccessor(name=market.dataset_name(TRAINING.writes))
