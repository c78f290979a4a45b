"""A stage: what its container is. Declared once in `rankalpha.stages`, run by `rankalpha.operators`."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Self

from rankalpha.no_proxy import with_exceptions
from rankalpha.pipeline.market import DEFAULT_MARKET, Market
from rankalpha.settings import A_YEAR, SettingsError, settings
from rankalpha.stages.capabilities import check_capabilities
from rankalpha.stages.profile import Profile
from rankalpha.texts import shown
from rankalpha.usable import (
    command_problem,
    environment_problem,
    image_problem,
    key_problem,
    name_problem,
    path_problem,
    text_problem,
)

LEAST_MEMORY = 6 * 1024**2  # bytes, Docker's own minimum
LEAST_TMP = 1024**2  # 0 would be no bound
MOST_CPUS = 2**63 // 10**9  # the engine counts billionths of a CPU in 64 bits
MOST_PIDS = 4 * 1024**2  # the kernel's own maximum
MOST_BYTES = 2**63 - 1


@dataclass(frozen=True)
class Volume:
    """A named Docker volume and where the container sees it."""

    name: str
    target: str


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A container that processes one batch and exits.

    `name` is the name of its env file and, in upper case, the prefix of its settings: SCORER_IMAGE,
    SCORER_COMMAND, SCORER_CPUS, SCORER_MEM, SCORER_PIDS and SCORER_TMP override what is declared here.

    `capabilities` are for an image that runs as root and needs more than an ordinary user may do, such as
    ("DAC_OVERRIDE",) to change files that belong to another user. No setting can add to them.

    `read_only=False` is for an image that writes to other places than its volumes and /tmp; its /tmp is then
    a part of the image's file system, and without a bound. No setting can change that.
    """

    name: str
    image: str
    command: str
    working_dir: str = "/app"
    volumes: tuple[Volume, ...]
    env: Mapping[str, str] = field(default_factory=dict)  # defaults of keys that its env file may leave out
    optional: tuple[str, ...] = ()  # further keys that a Variable may set without standing in the env file
    secrets: tuple[str, ...] = ()  # the same for keys whose value must show nowhere
    data_dir_keys: tuple[str, ...] = ("RANKALPHA_DATA_DIR",)  # variables that name the root of the volumes
    network: str = "rankalpha_net"
    cpus: float = 1.0
    memory: str = "1g"
    pids: int = 512
    tmp: str = "256m"  # of /tmp, which is in memory and counts against `memory`
    read_only: bool = True  # all but its volumes and /tmp, see rankalpha.runners.file_system
    capabilities: tuple[str, ...] = ()  # Linux's, see `capabilities`; the container has no others
    timeout: timedelta = timedelta(hours=1)
    market: Market = DEFAULT_MARKET

    def __post_init__(self) -> None:
        if not self.name.isidentifier() or self.name != self.name.lower():
            raise ValueError(f"stage name {self.name!r} must be a lower-case identifier")
        if not self.command or not self.image:
            raise ValueError(f"stage {self.name} needs an image and a command")
        if problems := list(self._problems()):
            raise ValueError(f"stage {self.name}: {'; '.join(problems)}")
        check_capabilities(self.name, self.capabilities)

    def _problems(self) -> Iterator[str]:
        """Yield what of the declaration no engine can use; the limits are looked at with their settings."""
        keys = (*self.env, *self.optional, *self.secrets, *self.data_dir_keys)
        checked = [
            ("image", image_problem, self.image),
            ("command", command_problem, self.command),
            ("working_dir", path_problem, self.working_dir),
            ("network", name_problem, self.network),
            *((f"env[{key!r}]", text_problem, value) for key, value in self.env.items()),
            *(("name of a variable", key_problem, key) for key in keys),
            *(("volume", name_problem, volume.name) for volume in self.volumes),
            *(("target of a volume", path_problem, volume.target) for volume in self.volumes),
        ]
        for what, problem_of, value in checked:
            if problem := problem_of(value):
                yield f"{what} {shown(value)} {problem}"
        if not timedelta(0) < self.timeout <= A_YEAR:
            yield f"timeout {self.timeout} is not between 0 and {A_YEAR.days} days"

    def of(self, market: Market) -> Self:
        """Return the stage of a market, whose data lie in volumes of its own."""
        volumes = (Volume(market.volume(volume.name), volume.target) for volume in self.volumes)
        return replace(self, market=market, volumes=tuple(volumes))

    @property
    def time_limit(self) -> timedelta:
        """Time after which the stage is stopped and its task fails."""
        seconds = settings().stage_timeout
        return timedelta(seconds=seconds) if seconds else self.timeout

    def key(self, part: str) -> str:
        """Return the key that overrides a part of the declaration, such as SCORER_MEM."""
        return f"{self.name.upper()}_{part}"

    def _limits(self) -> dict[str, str]:
        own = {"IMAGE": self.image, "COMMAND": self.command}
        limits = {"CPUS": str(self.cpus), "MEM": self.memory, "PIDS": str(self.pids), "TMP": self.tmp}
        return {self.key(part): value for part, value in {**own, **limits}.items()}

    @property
    def keys(self) -> set[str]:
        """The keys that a Variable sets without standing in the stage's env file."""
        return {*self._limits(), *self.env, *self.optional, *self.secrets}

    def job(self, batch: str, labels: Mapping[str, str]) -> "StageJob":
        """Look up what the stage is given for `batch`; SettingsError names a key that makes no sense."""
        profile = Profile.load(self.name, {**self._limits(), **self.env}, self.market.profile)
        extra = {key: profile.optional(key) for key in (*self.optional, *self.secrets)}
        env = {key: value for key, value in profile.all().items() if key not in (*self._limits(), *extra)}
        env = {
            **env,
            **{key: value for key, value in extra.items() if value},
            **with_exceptions({**env, **extra}),
            "RANKALPHA_ENV": profile.name,
            "RANKALPHA_BATCH": batch,
            "RANKALPHA_DATE": batch[:10],
            **({"RANKALPHA_MARKET": self.market.name} if self.market.folder else {}),
        }
        if problem := environment_problem(env):
            raise SettingsError(f"the environment of stage {self.name} is too large: {problem}")
        return StageJob(
            stage=self,
            batch=batch,
            image=self.market.images.get(self.name) or _checked(profile, self.key("IMAGE"), image_problem),
            command=_checked(profile, self.key("COMMAND"), command_problem),
            nano_cpus=_nano_cpus(profile, self.key("CPUS")),
            memory_bytes=_bytes(profile, self.key("MEM"), LEAST_MEMORY),
            tmp_bytes=_bytes(profile, self.key("TMP"), LEAST_TMP),
            pids=_whole(profile, self.key("PIDS")),
            env=env,
            labels=labels,
            unreached=profile.set_keys - self.keys - profile.file.keys(),
        )


@dataclass(frozen=True)
class StageJob:
    """A stage with everything looked up: what a runner needs to run it for one batch."""

    stage: Stage
    batch: str
    image: str
    command: str
    nano_cpus: int
    memory_bytes: int
    tmp_bytes: int
    pids: int
    env: Mapping[str, str] = field(repr=False)  # holds secrets
    labels: Mapping[str, str]
    unreached: frozenset[str] = frozenset()  # keys of Variables that this stage is not given


def _checked(profile: Profile, key: str, problem_of: Callable[[str], str]) -> str:
    value = profile.get(key)
    if not value.strip():
        raise SettingsError(f"{key} is empty; leave it out for the default")
    if problem := problem_of(value):
        raise SettingsError(f"{key}={shown(value)} {problem}")
    return value


def _nano_cpus(profile: Profile, key: str) -> int:
    number = profile.number(key, MOST_CPUS)
    if number < 0.01:  # noqa: PLR2004  Docker's own minimum; it takes a rounded 0 for "no limit"
        raise SettingsError(f"{key}={profile.get(key)!r} is below Docker's minimum of 0.01")
    return int(number * 1e9)


def _whole(profile: Profile, key: str) -> int:
    number = profile.number(key, MOST_PIDS)
    if number != int(number):  # 0.5 would become 0, which Docker takes for "no limit"
        raise SettingsError(f"{key}={profile.get(key)!r} is not a whole number, such as 512")
    return int(number)


def _bytes(profile: Profile, key: str, least: int) -> int:
    from docker.errors import DockerException  # noqa: PLC0415  slow to load, and not for parsing
    from docker.utils import parse_bytes  # noqa: PLC0415

    value = profile.get(key)
    try:
        size = int(parse_bytes(value))
    except (DockerException, ValueError, OverflowError) as error:
        raise SettingsError(f"{key}={shown(value)} is no size, such as 512m or 2g") from error
    if size > MOST_BYTES:
        raise SettingsError(f"{key}={shown(value)} is more memory than any machine has; such as 2g")
    if size < least:
        raise SettingsError(f"{key}={value!r} is below the minimum of {least // 1024**2}m")
    return size
