"""What only the Docker runner and its proxy read of a stage's declaration."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

from rankalpha.pipeline.market import Market
from rankalpha.texts import shown
from rankalpha.usable import name_problem, path_problem


@dataclass(frozen=True)
class Volume:
    """A named Docker volume and where the container sees it; `read_only`: it never writes there.

    One `of_models` is only that of a market that trains models.
    """

    name: str
    target: str
    read_only: bool = False
    of_models: bool = False


@dataclass(frozen=True, kw_only=True)
class DockerOptions:
    """Where a stage's container runs in Docker, and what it can write to and do there.

    `capabilities` are for an image that runs as root and needs more than an ordinary user may do, such as
    ("DAC_OVERRIDE",) to change files that belong to another user. No setting can add to them.

    `read_only=False` is for an image that writes to other places than its volumes and /tmp. Its /tmp is then
    a part of the image's file system, and without a bound. No setting can change that.
    """

    volumes: tuple[Volume, ...] = ()
    network: str = "rankalpha_net"
    tmp: str = "256m"  # size of /tmp, which is in memory and counts against the stage's `memory`
    read_only: bool = True  # all but its volumes and /tmp, see rankalpha.runners.file_system
    capabilities: tuple[str, ...] = ()  # Linux's, see `capabilities`; the container has no others

    def of(self, market: Market) -> Self:
        """Return the options of a market's stage, whose data are in volumes of its own."""
        return replace(
            self,
            volumes=tuple(
                replace(volume, name=market.volume(volume.name))
                for volume in self.volumes
                if market.training or not volume.of_models
            ),
        )

    def problems(self) -> Iterator[str]:
        """Yield what Docker cannot take; the size of /tmp is checked with its setting."""
        checked = [
            ("network", name_problem, self.network),
            *(("volume", name_problem, volume.name) for volume in self.volumes),
            *(("target of a volume", path_problem, volume.target) for volume in self.volumes),
        ]
        for what, problem_of, value in checked:
            if problem := problem_of(value):
                yield f"{what} {shown(value)} {problem}"
