"""What a container may be given, and how the proxy says no."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from rankalpha.runners.file_system import RESULT_VOLUME
from rankalpha.stages.docker import Volume
from rankalpha.stages.stage import Stage

LABEL = "rankalpha.dag"  # what is ours carries it, see rankalpha.operators
STAGE = "rankalpha.stage"  # which stage it is, see rankalpha.runners.identity
NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,199}"
IMAGE = r"[A-Za-z0-9][A-Za-z0-9_.-]*([/:@][A-Za-z0-9][A-Za-z0-9_.-]*)*"
READ_ONLY = " (read-only)"
PLURALS = {"capability": "capabilities"}


def _mount(volume: Volume) -> str:
    return f"{volume.name}:{volume.target}{READ_ONLY if volume.read_only else ''}"


def listed(names: Iterable[str]) -> str:
    """Return names for a message."""
    return ", ".join(sorted(names)) or "none"


class Problem(Exception):
    """An answer of the proxy's own: an HTTP status and a message in Docker's form."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Refused(Problem):
    """The request is not among what is let through; the message says what of it."""

    def __init__(self, what: str) -> None:
        super().__init__(403, f"RankAlpha's Docker proxy refuses {what}")


@dataclass(frozen=True)
class Allowed:
    """What a container may be given: networks, volumes and the like, by the names that stages declare."""

    networks: frozenset[str]
    volumes: frozenset[str]
    # volume:target, and READ_ONLY where no stage writes there; elsewhere, a volume could stand in for a part
    # of the image
    mounts: frozenset[str]
    folders: frozenset[str]  # to work in; some of /proc have been ways out of a container
    capabilities: frozenset[str]  # stage:capability; a Stage declares neither NET_RAW nor NET_ADMIN
    writable: frozenset[str]  # stages whose root file system is not read-only

    @classmethod
    def by(cls, stages: Iterable[Stage]) -> Self:
        """Return what the declarations of `stages` name."""
        stages = tuple(stages)
        options = [(stage.name, stage.docker) for stage in stages]
        volumes = [volume for _, docker in options for volume in docker.volumes]
        return cls(
            networks=frozenset(docker.network for _, docker in options),
            volumes=frozenset(volume.name for volume in volumes),
            # the result's volume has no name
            mounts=frozenset({f":{RESULT_VOLUME}", *map(_mount, volumes)}),
            folders=frozenset(stage.working_dir for stage in stages),
            capabilities=frozenset(
                f"{stage.name}:{name}" for stage in stages for name in stage.docker.capabilities
            ),
            writable=frozenset(stage for stage, docker in options if not docker.read_only),
        )

    def check_mount(self, mount: str, *, read_only: bool) -> None:
        """Raise Refused for a mount that no stage declares, or declares as read-only when this one is not."""
        self.check("mount", mount + READ_ONLY if read_only and mount not in self.mounts else mount)

    def check(self, kind: str, name: str) -> None:
        """Raise Refused for a network, volume, mount, folder or capability that no stage declares."""
        declared: frozenset[str] = getattr(self, PLURALS.get(kind, f"{kind}s"))
        if name not in declared:
            raise Refused(f"{kind} {name!r}: the stages declare {listed(declared)}")
