"""What an engine says of a stage's container."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict


class Usage(TypedDict):
    """What a container has used: CPU time in seconds, and memory in bytes at its peak."""

    cpu_seconds: float
    peak_memory_bytes: int


@dataclass(frozen=True)
class Container:
    """A stage's container as its engine sees it; for the process runner, its process.

    `started` is None for a container that never ran, `ended` is None while it has not ended, and `status` is
    None while it has not ended or when its exit status is unknown. `set_aside` says whether it was set aside,
    see `Runner.set_aside`. `image` is the name that it was started by, `usage` is there when the engine knows
    it after the end, and `memory_limit` is in bytes, None without a limit.
    """

    id: str
    name: str
    labels: Mapping[str, str]
    running: bool
    created: datetime
    started: datetime | None = None
    ended: datetime | None = None
    status: int | None = None
    out_of_memory: bool = False
    set_aside: bool = False
    image: str = ""
    image_id: str = ""
    usage: Usage | None = None
    memory_limit: int | None = None
