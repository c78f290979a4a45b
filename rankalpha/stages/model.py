"""Which model a stage's setting names for a batch."""

from collections.abc import Callable
from typing import Any

from rankalpha.pipeline.champion import CHAMPION, champion_at, problem_of_name
from rankalpha.pipeline.steps import TRAINING
from rankalpha.pipeline.versions import VERSIONS_KEY, Version
from rankalpha.settings import SettingsError
from rankalpha.stages.profile import Profile, Variables
from rankalpha.stages.stage import Stage
from rankalpha.texts import shown

Stored = Callable[[str], Any]  # what the state store of the market's models has of a key; None without it


def named_model(
    stage: Stage, batch: str, stored: Stored, variables: Variables | None = None
) -> dict[str, Version]:
    """Return the model that a stage's setting names for a batch, as an input; empty without one.

    Nothing is looked up for a stage without such a setting, nor for a market that trains no models. Raises
    SettingsError for a name of no model. Outside of a task, Airflow's `variables` must be given.
    """
    if not (stage.model and stage.market.training):
        return {}
    profile = Profile.load(stage.name, stage.env, stage.market, stage.own_settings, variables)
    name = profile.optional(stage.model).strip()
    if not name:
        return {}
    if problem := problem_of_name(name):
        raise SettingsError(f"{stage.model}={shown(name)} {problem}")
    if name == CHAMPION:
        version = champion_at(stored(CHAMPION) or (), batch)
    else:
        dataset = stage.market.dataset_name(TRAINING.writes)
        version = Version.of((stored(VERSIONS_KEY) or {}).get(name), f"batch {name} in {dataset}")
    return {TRAINING.writes: version} if version else {}
