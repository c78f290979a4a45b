"""What a stage's container has used: sampled while it runs, told when it has ended.

A Docker engine forgets its figures at the end of a container, so they are those of the last sample: what was
used after it is missing, about a quarter of the container's time, and ten seconds, at most; longer when more
than fifty containers run. CPU time counts from its start, whoever sampled it, and so does the peak of
memory where the engine has cgroup v1. With v2 it is the highest sample, which may miss a spike. The figures
of a process are exact.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, ClassVar

from rankalpha.runners.base import Container, Runner, Usage

FIRST_PAUSE = 0.3
GROWTH = 1.25  # of the pause between samples: a short container has some too, a long one few
LONGEST_PAUSE = 10.0
SHARE = 0.2  # seconds between two samples of this process, whichever containers they are of
MEBIBYTE = 1024**2

# two at a time, of however many stages: when engine or processor are slow there are fewer samples
_THREADS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="rankalpha-usage")


class Sampler:
    """Samples one container; `usage` is what was seen until now."""

    at_work: ClassVar = 0  # samplers of this process

    def __init__(self, runner: Runner, container_id: str) -> None:
        self._runner = runner
        self._id = container_id
        self.usage: Usage | None = None

    async def run(self) -> None:
        """Sample until cancelled."""
        loop, pause = asyncio.get_running_loop(), FIRST_PAUSE
        Sampler.at_work += 1
        try:
            while True:
                seen = await loop.run_in_executor(_THREADS, sample, self._runner, self._id)
                self.usage = most(self.usage, seen)
                await asyncio.sleep(max(pause, SHARE * Sampler.at_work))
                pause = min(pause * GROWTH, LONGEST_PAUSE)
        finally:
            Sampler.at_work -= 1


def sample(runner: Runner, container_id: str) -> Usage | None:
    """Return what a container has used until now, None when that cannot be told."""
    with suppress(Exception):  # whatever it is, figures are not worth a stage
        return runner.sample(container_id)
    return None


def most(*seen: Usage | None) -> Usage | None:
    """Return the highest figures of what was `seen` of one container."""
    there = [usage for usage in seen if usage]
    if not there:
        return None
    return {
        "cpu_seconds": max(usage["cpu_seconds"] for usage in there),
        "peak_memory_bytes": max(usage["peak_memory_bytes"] for usage in there),
    }


def told(runner: Runner, container: Container, seen: Usage | None) -> dict[str, Any]:
    """Return the XCom `container` of a stage that has ended, given what was `seen` of it while it ran.

    `image`, `name`; `digest`: `sha256:...` or None; `seconds`: float from its start to its end;
    `cpu_seconds`: float or None, and `peak_memory_bytes`: int or None, when nobody has seen them;
    `memory_limit_bytes`: int, None without a limit.
    """
    ran = container.started and container.ended and container.ended - container.started
    usage = most(container.usage, seen)
    return {
        "image": container.image,
        "digest": runner.digest(container),
        "name": container.name,
        "seconds": round(ran.total_seconds(), 3) if ran else 0.0,
        "cpu_seconds": round(usage["cpu_seconds"], 3) if usage else None,
        "peak_memory_bytes": usage["peak_memory_bytes"] if usage else None,
        "memory_limit_bytes": container.memory_limit,
    }


def line(container: dict[str, Any]) -> str:
    """Return what `told` gives as a line for a log."""
    image = container["image"] + (f" ({container['digest'][:19]})" if container["digest"] else "")
    used = "nobody saw its CPU and memory"
    if container["cpu_seconds"] is not None:
        peak = f"{container['peak_memory_bytes'] / MEBIBYTE:.0f} MiB at its peak"
        used = f"{container['cpu_seconds']:.1f} s of CPU, {peak}"
    return f"Container {container['name']} from image {image} ran for {container['seconds']:.1f} s: {used}"
