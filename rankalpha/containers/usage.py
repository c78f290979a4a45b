"""What a stage's container has used: sampled while it runs, reported when it has ended.

A Docker engine forgets its figures at the end of a container, so the last sample counts. What was used after
it is missing: at most about a quarter of the container's time and ten seconds, or more when over fifty
containers run. CPU time counts from the container's start, whoever sampled it. So does the peak of memory
where the engine has cgroup v1; with v2 it is the highest sample, which may miss a spike. The figures of a
process are exact.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, ClassVar

from rankalpha.runners.base import Runner
from rankalpha.runners.container import Container, Usage

FIRST_PAUSE = 0.3
GROWTH = 1.25  # of the pause between samples: a short container has some samples, a long one not too many
LONGEST_PAUSE = 10.0
SHARE = 0.2  # seconds between two samples of this process, whichever containers they are of
MEBIBYTE = 1024**2

# two samples at a time for all stages: when engine or processor are slow there are fewer
_THREADS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="rankalpha-usage")


class Sampler:
    """Samples one container; `usage` is the highest use until now."""

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
                newest = await loop.run_in_executor(_THREADS, sample, self._runner, self._id)
                self.usage = highest(self.usage, newest)
                await asyncio.sleep(max(pause, SHARE * Sampler.at_work))
                pause = min(pause * GROWTH, LONGEST_PAUSE)
        finally:
            Sampler.at_work -= 1


def sample(runner: Runner, container_id: str) -> Usage | None:
    """Return what a container has used until now, None when that is not known."""
    with suppress(Exception):  # no error of the figures may fail a stage
        return runner.sample(container_id)
    return None


def highest(*samples: Usage | None) -> Usage | None:
    """Return the highest figures of the samples of one container."""
    known = [usage for usage in samples if usage]
    if not known:
        return None
    return {
        "cpu_seconds": max(usage["cpu_seconds"] for usage in known),
        "peak_memory_bytes": max(usage["peak_memory_bytes"] for usage in known),
    }


def container_report(runner: Runner, container: Container, sampled: Usage | None) -> dict[str, Any]:
    """Return `container` of the output of a stage that has ended; `sampled` is its use while it ran.

    `image`, `name`; `digest`: `sha256:...`, and `pinned`: a name that means this image for good, both None
    without an image; `seconds`: float from its start to its end;
    `cpu_seconds`: float, and `peak_memory_bytes`: int, both None when they were never sampled;
    `memory_limit_bytes`: int, None without a limit.
    """
    ran = container.started and container.ended and container.ended - container.started
    usage = highest(container.usage, sampled)
    pinned = runner.pinned(container)
    return {
        "image": container.image,
        "digest": pinned and pinned.rpartition("@")[2],
        "pinned": pinned,
        "name": container.name,
        "seconds": round(ran.total_seconds(), 3) if ran else 0.0,
        "cpu_seconds": round(usage["cpu_seconds"], 3) if usage else None,
        "peak_memory_bytes": usage["peak_memory_bytes"] if usage else None,
        "memory_limit_bytes": container.memory_limit,
    }


def report_line(report: dict[str, Any]) -> str:
    """Return a report of `container_report` as a line for a log."""
    image = report["image"] + (f" ({report['digest'][:19]})" if report["digest"] else "")
    used = "its CPU time and memory are not known"
    if report["cpu_seconds"] is not None:
        peak = f"{report['peak_memory_bytes'] / MEBIBYTE:.0f} MiB of memory at its peak"
        used = f"{report['cpu_seconds']:.1f} s of CPU, {peak}"
    return f"Container {report['name']} from image {image} ran for {report['seconds']:.1f} s: {used}"
