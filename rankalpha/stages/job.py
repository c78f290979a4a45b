"""A stage's job: what its container is given for one batch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Self

from rankalpha.no_proxy import with_exceptions
from rankalpha.settings import SettingsError
from rankalpha.stages import limits
from rankalpha.stages.profile import Profile, Variables
from rankalpha.stages.stage import Stage
from rankalpha.texts import shown
from rankalpha.usable import command_problem, environment_problem, image_problem


@dataclass(frozen=True)
class StageJob:
    """A stage with everything looked up: what a runner needs to run it for one batch."""

    stage: Stage
    batch: str
    image: str
    command: str
    cpus: float
    memory_bytes: int
    tmp_bytes: int  # of Docker's /tmp
    pids: int
    env: Mapping[str, str] = field(repr=False)  # holds secrets
    labels: Mapping[str, str]
    unreached: frozenset[str] = frozenset()  # keys of Variables that this stage is not given
    given: Mapping[str, str] = field(default_factory=dict, repr=False)  # what of `env` is of no batch alone
    reuse: bool = False  # an earlier version may be used again

    @classmethod
    def of(
        cls,
        stage: Stage,
        batch: str,
        labels: Mapping[str, str],
        versions: Mapping[str, str] | None = None,
        variables: Variables | None = None,
    ) -> Self:
        """Look up what the stage is given for `batch`; SettingsError names a key with an unusable value.

        `versions` are its variables about versions, see `rankalpha.stages.given`. They are left out when the
        setting of the stage says so, because an image of your own need not know of them. Outside of a task,
        Airflow's `variables` must be given.
        """
        market, key = stage.market, stage.key
        defaults = {**stage.overridable, **stage.env}
        profile = Profile.load(stage.name, defaults, market, stage.own_settings, variables)
        given = _environment(stage, profile)
        takes_part = bool(versions) and profile.flag(key("VERSIONS"))
        if market.challenges and not takes_part:  # what it writes would take the champion's place
            raise SettingsError(
                f"a variant needs a stage that takes part in versions; stage {stage.name} does not"
            )
        own = {"RANKALPHA_BATCH": batch, "RANKALPHA_DATE": batch[:10], **((takes_part and versions) or {})}
        env = {**given, **own}
        if problem := environment_problem(env):
            raise SettingsError(f"the environment of stage {stage.name} is too large: {problem}")
        return cls(
            stage=stage,
            batch=batch,
            image=market.images.get(stage.name) or _checked(profile, key("IMAGE"), image_problem),
            command=_checked(profile, key("COMMAND"), command_problem),
            cpus=limits.cpus(profile, key("CPUS")),
            memory_bytes=limits.size(profile, key("MEM"), limits.LEAST_MEMORY),
            tmp_bytes=limits.size(profile, key("TMP"), limits.LEAST_TMP),
            pids=limits.processes(profile, key("PIDS")),
            env=env,
            labels=labels,
            unreached=profile.set_keys - stage.keys - profile.file.keys(),
            given=given,
            reuse=takes_part and _reuses(stage, profile, given),
        )


def _environment(stage: Stage, profile: Profile) -> dict[str, str]:
    """Return what the stage is given for every batch."""
    extra = {key: profile.optional(key) for key in (*stage.optional, *stage.secrets)}
    apart = {*stage.overridable, *extra}
    env = {key: value for key, value in profile.all().items() if key not in apart}
    market = stage.market
    return {
        **env,
        **{key: value for key, value in extra.items() if value},
        **with_exceptions({**env, **extra}),
        "RANKALPHA_ENV": profile.name,
        **({"RANKALPHA_MARKET": market.name} if market.folder else {}),
        **({"RANKALPHA_CALENDAR": market.calendar} if market.calendar else {}),
    }


def _reuses(stage: Stage, profile: Profile, given: Mapping[str, str]) -> bool:
    """Return whether an earlier version may be used again, by the stage's settings."""
    return (
        stage.reuse
        and profile.flag(stage.key("REUSE"))
        and (not stage.carries or given.get(stage.carries, "0").strip() == "0")
    )


def _checked(profile: Profile, key: str, problem_of: Callable[[str], str]) -> str:
    value = profile.get(key)
    if not value.strip():
        raise SettingsError(f"{key} is empty; leave it out for the default")
    if problem := problem_of(value):
        raise SettingsError(f"{key}={shown(value)} {problem}")
    return value
