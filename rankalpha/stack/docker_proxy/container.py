"""What a container may be created with: a positive list of Docker's fields, in Docker's own spelling.

Docker reads the keys of its JSON in any case of letters and takes the last of several; so a body is not
passed on, but read here, checked, and written again.
"""

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_pascal
from pydantic_core import from_json

from rankalpha.runners import container_log
from rankalpha.runners.file_system import is_bounded, tmpfs
from rankalpha.stack.docker_proxy.allowed import IMAGE, LABEL, NAME, STAGE, Allowed, Problem, Refused, listed

NO_NEW_PRIVILEGES = (["no-new-privileges"], ["no-new-privileges:true"])  # Docker takes both
LOG = {"Type": container_log.DRIVER, "Config": container_log.OPTIONS}
Positive = Annotated[int, Field(gt=0, lt=2**63)]
# others could be taken for containers of a compose project
Labels = dict[Annotated[str, Field(pattern=r"^rankalpha\.[a-z]+$")], str]


class Part(BaseModel):
    """A part of the body: nothing but its fields, and no other type than theirs."""

    model_config = ConfigDict(alias_generator=to_pascal, extra="forbid", strict=True, frozen=True)


class VolumeOptions(Part):
    """The folder of a batch or of a version in a volume. With a driver's options it could be the host's."""

    subpath: Annotated[str, Field(pattern="^[0-9T:-]{19}(/[A-Za-z0-9_-]{1,100})?$")]


class VolumeMount(Part):
    """A volume: of a stage's data, or without a name; or a folder of it, at its own place in it."""

    type: Literal["volume"]
    source: Annotated[str, Field(pattern=f"^{NAME}$")] = ""
    target: str
    read_only: bool = False
    volume_options: VolumeOptions | None = None

    @property
    def declared(self) -> str:
        """What a stage must declare: volume:target, where the target of a folder is that of its volume."""
        if not self.volume_options:
            return f"{self.source}:{self.target}"
        inside = f"/{self.volume_options.subpath}"
        whole = self.target.removesuffix(inside)
        return f"{self.source}:{whole}" if whole != self.target else f"{self.source}{inside}:{self.target}"


class HostConfig(Part):
    """What the engine gives to the container; without limits, nothing."""

    network_mode: str
    mounts: list[VolumeMount] = []
    nano_cpus: Positive
    memory: Positive
    memory_swap: Positive
    pids_limit: Positive
    readonly_rootfs: bool = False
    tmpfs: dict[str, str] = {}
    init: Literal[True]  # the first process is Docker's own, whatever image and command are
    cap_drop: list[str] = []
    cap_add: list[str] = []
    security_opt: list[str] = []
    log_config: dict[str, str | dict[str, str]] = {}


class Container(Part):
    """The container of a stage."""

    image: Annotated[str, Field(pattern=f"^{IMAGE}$")]
    cmd: list[str]
    env: list[Annotated[str, Field(pattern="^[^=]+=")]] = []
    working_dir: str
    labels: Labels
    attach_stdout: bool = (
        False  # docker-py says so of each container; it only matters when one is attached to
    )
    attach_stderr: bool = False
    host_config: HostConfig


def rewritten(body: bytes, allowed: Allowed) -> bytes:
    """Return a new body for Docker with what `body` asks for; Refused when that is more than allowed."""
    try:
        container = Container.model_validate(_without_empty(from_json(body)))
    except ValidationError as error:  # without the values: they hold secrets
        problems = (f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False))
        raise Refused(f"this container: {'; '.join(problems)}") from error
    except ValueError as error:
        raise Problem(400, f"RankAlpha's Docker proxy cannot read the body: {error}") from error
    if LABEL not in container.labels:
        raise Refused(f"a container without the label {LABEL}")
    _check_power(container, allowed)
    _check_file_system(container, allowed)
    if container.host_config.log_config != LOG:  # without it the engine would keep all of the output
        raise Refused(
            f'a container whose log is not bounded: HostConfig must have "LogConfig": {json.dumps(LOG)}'
        )
    allowed.check("network", container.host_config.network_mode)
    allowed.check("folder", container.working_dir)
    for mount in container.host_config.mounts:
        allowed.check_mount(mount.declared, read_only=mount.read_only)
    return container.model_dump_json(by_alias=True, exclude_unset=True).encode()


def _check_power(container: Container, allowed: Allowed) -> None:
    """Raise Refused unless all capabilities are dropped, for good, but those that the stage declares."""
    host = container.host_config
    if host.cap_drop != ["ALL"] or host.security_opt not in NO_NEW_PRIVILEGES:
        raise Refused(
            'a container that has or can gain capabilities: HostConfig must have "CapDrop": ["ALL"] and '
            '"SecurityOpt": ["no-new-privileges"]'
        )
    for name in host.cap_add:
        allowed.check("capability", f"{container.labels.get(STAGE, '')}:{name}")


def _check_file_system(container: Container, allowed: Allowed) -> None:
    """Raise Refused unless no more can be written to than the stage declares."""
    host = container.host_config
    if host.readonly_rootfs and is_bounded(host.tmpfs):
        return
    if host.tmpfs or container.labels.get(STAGE) not in allowed.writable:
        raise Refused(
            "a container that can write to more than its volumes and a bounded /tmp: HostConfig must have "
            f'"ReadonlyRootfs": true and "Tmpfs": {json.dumps(tmpfs("<bytes>"))}; '
            f"the stages declare read_only=False: {listed(allowed.writable)}"
        )


def _without_empty(value: Any) -> Any:
    """Leave out what is null, false or empty: docker-py sends much of it, and it asks Docker for nothing.

    Not so of labels: containers are found by them, also by one that is empty.
    """
    if isinstance(value, dict):
        kept = {key: item if key == "Labels" else _without_empty(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item}
    return [_without_empty(item) for item in value] if isinstance(value, list) else value
