"""Follows a stage's container to its end: output, time limit, and an engine that does not answer for a while.

A task runs this at first, then a triggerer does for every stage in flight.
"""

import asyncio
import math
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from rankalpha.containers.copier import Copier
from rankalpha.containers.drain import cancelled, drain
from rankalpha.containers.patience import in_thread, patiently
from rankalpha.containers.usage import Sampler
from rankalpha.runners.base import Runner
from rankalpha.runners.container import Container, Usage
from rankalpha.runners.failures import StageFailed
from rankalpha.runners.line import NOTHING, Line, Mark
from rankalpha.settings import settings

End = Literal["ended", "overdue", "running"]

INSPECT_SECONDS = 10.0  # between two inspections: a stream that hangs hides the end no longer than this
LAG_SECONDS = 1.0  # the same while output arrives faster than it is logged
MEGABYTE = 1_000_000
PAUSE_SECONDS = 1.0  # before output that ended early is read again


class Follower:
    """Follows one container; `write` gets each line of its output that was not `written` before, once.

    `write` is called in a thread, and only while the log has room, see `rankalpha.containers.copier`.
    """

    def __init__(
        self,
        runner: Runner,
        container_id: str,
        write: Callable[[Line], None],
        log: Any,
        written: Mark = NOTHING,
    ) -> None:
        self._runner = runner
        self._id = container_id
        self._log = log
        self._sampler = Sampler(runner, container_id)
        self.left_out = ""  # the warning about lines that are missing in the log
        self._copier = Copier(runner, container_id, write, settings().log_mb * MEGABYTE, written)

    @property
    def usage(self) -> Usage | None:
        """What the container was seen to use, see `rankalpha.containers.usage`."""
        return self._sampler.usage

    @property
    def written(self) -> Mark:
        """How far the output was written."""
        return self._copier.written

    async def follow(self, limit: timedelta, wait: float = math.inf) -> End:
        """Return when the container has ended, or was stopped because it ran for longer than `limit`.

        Return `running` when it still runs after `wait` seconds.
        Raises ContainerGone, and EngineLost when the engine did not answer for `PATIENCE_SECONDS`.
        """
        until = time.monotonic() + wait
        output = asyncio.create_task(self._copier.run())
        sampling = asyncio.create_task(self._sampler.run())
        try:
            while True:
                container = await self._inspect()
                if not container.running:
                    await drain(self._copier, output, self._log)
                    await self._warn_of_missing_lines()
                    return "ended"
                if seconds_left(container, limit) <= 0:
                    await in_thread(self._runner.stop, self._id)
                    await drain(self._copier, output, self._log)
                    await self._warn_of_missing_lines()
                    return "overdue"
                if (rest := until - time.monotonic()) <= 0:
                    return "running"
                pause = min(INSPECT_SECONDS, seconds_left(container, limit) + 0.1, rest)
                await self._until_news(output, pause)
                if output.done():  # the container has ended, or the engine has closed the stream
                    await asyncio.sleep(0 if _ended_well(output) else PAUSE_SECONDS)
                    container = await self._inspect()
                    if container.running:
                        await asyncio.sleep(PAUSE_SECONDS)
                        output = asyncio.create_task(self._copier.run())
        finally:
            sampling.cancel()
            await cancelled(output)

    async def _until_news(self, output: "asyncio.Task[None]", pause: float) -> None:
        """Wait for the end of the output, which comes with the container's unless it lags, or for `pause`."""
        until = time.monotonic() + pause
        while not output.done() and (rest := until - time.monotonic()) > 0:
            await asyncio.wait({output}, timeout=min(rest, LAG_SECONDS))
            if self._copier.lags:
                return

    async def _warn_of_missing_lines(self) -> None:
        """Log how much of the output is missing in the log, and where the whole output is."""
        copier = self._copier
        if not copier.full:
            return
        with suppress(StageFailed):
            location = await in_thread(self._runner.output_location, self._id)
            count = f"{'' if copier.read_all else 'More than '}{copier.left_out} lines"
            self.left_out = (
                f"{count} ({copier.left_out_bytes / MEGABYTE:.1f} MB) of the stage's output are not in this "
                f"log, which takes {settings().log_mb:g} MB of it (RANKALPHA_LOG_MB). "
                f"The whole output, until the container is removed: {location}"
            )
            self._log.warning("%s", self.left_out)

    async def _inspect(self) -> Container:
        return await patiently(self._log, self._runner.inspect, self._id)


def seconds_left(container: Container, limit: timedelta) -> float:
    """Return for how many seconds a running container may go on, however often it was adopted."""
    return (limit - (datetime.now(UTC) - (container.started or container.created))).total_seconds()


def _ended_well(output: "asyncio.Task[None]") -> bool:
    return not output.cancelled() and output.exception() is None
