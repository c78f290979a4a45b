"""A stage: what its container is. Declared once in `rankalpha.stages`, run by `rankalpha.operators`."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Self

from rankalpha.pipeline.market import DEFAULT_MARKET, Market
from rankalpha.settings import A_YEAR, settings
from rankalpha.stages.capabilities import check_capabilities
from rankalpha.stages.docker import DockerOptions
from rankalpha.texts import shown
from rankalpha.usable import (
    command_problem,
    image_problem,
    key_problem,
    path_problem,
    text_problem,
)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A container that processes one batch and exits.

    `name` is the name of its env file and, in upper case, the prefix of its settings: SCORER_IMAGE,
    SCORER_COMMAND, SCORER_CPUS, SCORER_MEM, SCORER_PIDS and SCORER_TMP override what is declared here;
    SCORER_VERSIONS=false is for an image that knows nothing of versions. SCORER_REUSE=false has the stage run
    although an earlier version was made by the same, see `rankalpha.pipeline.reuse`.

    `docker` is what only the Docker runner reads; the rest holds for every runner.
    """

    name: str
    image: str
    command: str
    working_dir: str = "/app"
    env: Mapping[str, str] = field(default_factory=dict)  # defaults of keys that its env file may leave out
    optional: tuple[str, ...] = ()  # further keys that a Variable may set without standing in the env file
    secrets: tuple[str, ...] = ()  # the same for keys whose value must show nowhere
    data_dir_keys: tuple[str, ...] = ("RANKALPHA_DATA_DIR",)  # variables that name the root of the volumes
    cpus: float = 1.0
    memory: str = "1g"
    pids: int = 512  # processes
    timeout: timedelta = timedelta(hours=1)
    output: str = ""  # folder below the root of the data that holds its versions; empty: it takes no part
    # datasets whose versions of older batches it reads, each with how many at most
    earlier: Mapping[str, int] = field(default_factory=dict)
    model: str = ""  # setting that names a model, which it is given as an input
    prunes: bool = False  # it removes versions of its folder that nobody needs
    reuse: bool = False  # an earlier version that was made by the same is used again
    # what it reads of `earlier` adds to its output only with a batch that brings something new
    accumulates: bool = False
    outside: bool = False  # it reads more than its inputs, so that it is used again within one session only
    carries: str = ""  # setting by which it carries parts of `earlier` itself, and so always runs; "0" is off
    # details of the result of a version that is used again, from those of the run that made it
    again: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict
    docker: DockerOptions = field(default_factory=DockerOptions)
    market: Market = DEFAULT_MARKET

    def __post_init__(self) -> None:
        if not self.name.isidentifier() or self.name != self.name.lower():
            raise ValueError(f"stage name {self.name!r} must be a lower-case identifier")
        if not self.command or not self.image:
            raise ValueError(f"stage {self.name} needs an image and a command")
        if problems := list(self._problems()):
            raise ValueError(f"stage {self.name}: {'; '.join(problems)}")
        check_capabilities(self.name, self.docker.capabilities)

    def _problems(self) -> Iterator[str]:
        """Yield what of the declaration no engine can use; the limits are checked with their settings."""
        keys = (*self.env, *self.optional, *self.secrets, *self.data_dir_keys)
        checked = [
            ("image", image_problem, self.image),
            ("command", command_problem, self.command),
            ("working_dir", path_problem, self.working_dir),
            *((f"env[{key!r}]", text_problem, value) for key, value in self.env.items()),
            *(("name of a variable", key_problem, key) for key in keys),
        ]
        for what, problem_of, value in checked:
            if problem := problem_of(value):
                yield f"{what} {shown(value)} {problem}"
        yield from self.docker.problems()
        if self.reuse and (not self.output or (self.earlier and not (self.carries or self.accumulates))):
            yield (
                "reuse=True needs a folder in output and, of a stage with earlier, a setting in carries or "
                "accumulates=True"
            )
        if not timedelta(0) < self.timeout <= A_YEAR:
            yield f"timeout {self.timeout} is not between 0 and {A_YEAR.days} days"

    def of(self, market: Market) -> Self:
        """Return the stage of a market, whose data are its own."""
        return replace(self, market=market, docker=self.docker.of(market))

    @property
    def time_limit(self) -> timedelta:
        """Time after which the stage is stopped and its task fails."""
        seconds = settings().stage_timeout
        return timedelta(seconds=seconds) if seconds else self.timeout

    def key(self, part: str) -> str:
        """Return the key that overrides a part of the declaration, such as SCORER_MEM."""
        return f"{self.name.upper()}_{part}"

    @property
    def overridable(self) -> dict[str, str]:
        """What of the declaration a setting overrides, by the setting's key."""
        parts = {
            "IMAGE": self.image,
            "COMMAND": self.command,
            "CPUS": str(self.cpus),
            "MEM": self.memory,
            "PIDS": str(self.pids),
            "TMP": self.docker.tmp,
            **({"VERSIONS": "true"} if self.output else {}),
            **({"REUSE": "true"} if self.reuse else {}),
        }
        return {self.key(part): value for part, value in parts.items()}

    @property
    def own_settings(self) -> dict[str, str]:
        """The settings of its market that win, also another stage's under a key that both declare.

        So the backtest of the evaluation ranks as the scorer does.
        """
        every = (pair for values in self.market.settings.values() for pair in values.items())
        shared = {key: value for key, value in every if key in self.optional}
        return {**shared, **self.market.settings_of(self.name)}

    @property
    def keys(self) -> set[str]:
        """The keys that a Variable sets without standing in the stage's env file."""
        return {*self.overridable, *self.env, *self.optional, *self.secrets}
