"""Variables that are set and reach no container.

A Variable reaches a container only when the stage's declaration or its env file names the key.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress

from rankalpha.pipeline.markets import markets
from rankalpha.settings import SettingsError, settings
from rankalpha.stages import stages_of
from rankalpha.stages.env_file import read_env_file
from rankalpha.stages.grading import CALLS
from rankalpha.stages.profile import ENV_PROFILE, profile_dir
from rankalpha.stages.stage import Stage

KEY = re.compile(r"[A-Z][A-Z0-9_]*")  # Variables of other DAGs have other forms
ORCHESTRATION = ("RANKALPHA_", "AIRFLOW_")


def unreached(keys: Iterable[str], stage: Stage) -> list[str]:
    """Return which keys of Variables no stage or call uses; `stage` is the stage that runs."""
    own = stage.key("")  # scorer_mem is meant for SCORER_MEM, and is another Variable
    unused = {key for key in keys if KEY.fullmatch(key) or key.upper().startswith(own)} - {ENV_PROFILE}
    for names in (
        *(call.defaults for call in CALLS),
        stage.keys,
        *_of_stages(),
    ):
        unused -= set(names)
        if not unused:
            break
    return sorted(unused)


def warning(keys: list[str], stage: Stage) -> str:
    """Return the warning about Variables that reach no container."""
    text = (
        f"Variables that are set and reach no container: {', '.join(keys)}. A container gets a Variable only "
        f"when its env file or declaration names the key: for this stage add the line {keys[0]}= "
        f"to env/<profile>/{stage.name}.env"
    )
    if any(key.startswith(ORCHESTRATION) for key in keys):
        text += f". What configures Airflow and RankAlpha is set in env/{settings().env}/airflow.env instead"
    return text


def _of_stages() -> Iterator[Iterable[str]]:
    stages = {stage.name: stage for market in markets() for stage in stages_of(market)}.values()
    yield from (stage.keys for stage in stages)
    for own in dict.fromkeys(market.profile for market in markets()):
        for stage in stages:
            with suppress(SettingsError):  # the stage that needs it reports it
                yield read_env_file(profile_dir(own) / f"{stage.name}.env")
