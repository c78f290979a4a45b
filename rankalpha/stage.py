"""A stage: what its container is. Declared once in `rankalpha.stages`, run by `rankalpha.operators`."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Self

from rankalpha.capabilities import check_capabilities
from rankalpha.market import DEFAULT_MARKET, Market
from rankalpha.no_proxy import with_exceptions
from rankalpha.profile import Profile
from rankalpha.settings import SettingsError, settings

RESULT_PATH = "/tmp/rankalpha-result.json"  # noqa: S108  in the container, which has its own /tmp


@dataclass(frozen=True)
class Volume:
    """A named Docker volume and where the container sees it."""

    name: str
    target: str


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A container that processes one batch and exits.

    `name` is the name of its env file and, in upper case, the prefix of its settings: SCORER_IMAGE,
    SCORER_COMMAND, SCORER_CPUS, SCORER_MEM and SCORER_PIDS override what is declared here.

    `capabilities` are for an image that runs as root and needs more than an ordinary user may do, such as
    ("DAC_OVERRIDE",) to change files that belong to another user. No setting can add to them.
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
    capabilities: tuple[str, ...] = ()  # Linux's, see rankalpha.capabilities; the container has no others
    timeout: timedelta = timedelta(hours=1)
    market: Market = DEFAULT_MARKET

    def __post_init__(self) -> None:
        if not self.name.isidentifier() or self.name != self.name.lower():
            raise ValueError(f"stage name {self.name!r} must be a lower-case identifier")
        if not self.command or not self.image:
            raise ValueError(f"stage {self.name} needs an image and a command")
        check_capabilities(self.name, self.capabilities)

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
        limits = {"CPUS": str(self.cpus), "MEM": self.memory, "PIDS": str(self.pids)}
        return {self.key(part): value for part, value in {**own, **limits}.items()}

    def job(self, batch: str, labels: Mapping[str, str]) -> "StageJob":
        """Look up what the stage is given for `batch`; SettingsError names a key that makes no sense."""
        profile = Profile.load(self.name, {**self._limits(), **self.env}, self.market.profile)
        extra = {key: profile.optional(key) for key in (*self.optional, *self.secrets)}
        env = {key: value for key, value in profile.all().items() if key not in (*self._limits(), *extra)}
        return StageJob(
            stage=self,
            batch=batch,
            image=self.market.images.get(self.name) or _text(profile, self.key("IMAGE")),
            command=_text(profile, self.key("COMMAND")),
            nano_cpus=_nano_cpus(profile, self.key("CPUS")),
            memory_bytes=_bytes(self.key("MEM"), profile.get(self.key("MEM"))),
            pids=_whole(profile, self.key("PIDS")),
            env={
                **env,
                **{key: value for key, value in extra.items() if value},
                **with_exceptions({**env, **extra}),
                "RANKALPHA_ENV": profile.name,
                "RANKALPHA_BATCH": batch,
                "RANKALPHA_DATE": batch[:10],
                **({"RANKALPHA_MARKET": self.market.name} if self.market.folder else {}),
            },
            labels=labels,
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
    pids: int
    env: Mapping[str, str] = field(repr=False)  # holds secrets
    labels: Mapping[str, str]


def _text(profile: Profile, key: str) -> str:
    value = profile.get(key)
    if not value.strip():
        raise SettingsError(f"{key} is empty; leave it out for the default")
    return value


def _nano_cpus(profile: Profile, key: str) -> int:
    number = profile.number(key)
    if number < 0.01:  # noqa: PLR2004  Docker's own minimum; it takes a rounded 0 for "no limit"
        raise SettingsError(f"{key}={profile.get(key)!r} is below Docker's minimum of 0.01")
    return int(number * 1e9)


def _whole(profile: Profile, key: str) -> int:
    number = profile.number(key)
    if number != int(number):  # 0.5 would become 0, which Docker takes for "no limit"
        raise SettingsError(f"{key}={profile.get(key)!r} is not a whole number, such as 512")
    return int(number)


def _bytes(key: str, value: str) -> int:
    from docker.errors import DockerException  # noqa: PLC0415  slow to load, and not for parsing
    from docker.utils import parse_bytes  # noqa: PLC0415

    try:
        size = int(parse_bytes(value))
    except (DockerException, ValueError, OverflowError) as error:
        raise SettingsError(f"{key}={value!r} is no size, such as 512m or 2g") from error
    if size < 6 * 1024 * 1024:
        raise SettingsError(f"{key}={value!r} is below Docker's minimum of 6m")
    return size
