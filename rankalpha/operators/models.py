"""Which model a stage is given, and which models must be kept."""

from collections.abc import Mapping, Sequence
from typing import Any

from rankalpha.pipeline.champion import CHAMPION, Entry, champion_at, problem_of_name
from rankalpha.pipeline.market import Market
from rankalpha.pipeline.steps import TRAINING
from rankalpha.pipeline.versions import VERSIONS_KEY, Version
from rankalpha.settings import SettingsError
from rankalpha.stages.profile import Profile
from rankalpha.stages.stage import Stage
from rankalpha.texts import shown


def model_of(stage: Stage, batch: str) -> dict[str, Version]:
    """Return the model that a stage's setting names for a batch, as an input; empty without one.

    Nothing is looked up for a stage without such a setting, nor for a market that trains no models. Raises
    SettingsError for a name of no model.
    """
    if not (stage.model and stage.market.training):
        return {}
    name = Profile.load(stage.name, stage.env, stage.market, stage.own_settings).optional(stage.model).strip()
    if not name:
        return {}
    if problem := problem_of_name(name):
        raise SettingsError(f"{stage.model}={shown(name)} {problem}")
    if name == CHAMPION:
        version = champion_at(champions(stage.market), batch)
    else:
        versions: Any = _store(stage.market).get(VERSIONS_KEY, {}) or {}
        version = Version.of(versions.get(name), f"batch {name} in {_dataset(stage.market)}")
    return {TRAINING.writes: version} if version else {}


def champions(market: Market) -> Sequence[Entry]:
    """Return the history of a market's champion, oldest first."""
    entries: Any = _store(market).get(CHAMPION, []) or []
    return tuple(entries)


def in_use(market: Market) -> list[Mapping[str, Any]]:
    """Return the champions as what a state store holds of versions, each by its batch."""
    return [{entry["batch"]: entry} for entry in champions(market)]


def _dataset(market: Market) -> str:
    return market.dataset_name(TRAINING.writes)


def _store(market: Market) -> Any:
    from airflow.sdk.execution_time.context import AssetStateStoreAccessor  # noqa: PLC0415  heavy

    return AssetStateStoreAccessor(name=_dataset(market))
