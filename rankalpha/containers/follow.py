"""Follows a stage's container to its end: output, time limit, and an engine that goes away for a while.

A task runs this at first, then a triggerer for every stage that is in flight.
"""

import asyncio
import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_delay, wait_fixed

from rankalpha.containers.copier import Copier
from rankalpha.containers.usage import Sampler
from rankalpha.runners.base import NOTHING, Container, EngineLost, Line, Mark, Runner, StageFailed, Usage
from rankalpha.settings import settings

T = TypeVar("T")
End = Literal["ended", "overdue", "running"]

LOOK_SECONDS = 10.0  # between two looks: a hung stream of output hides an ended container no longer
LAG_SECONDS = 1.0  # the same for output that comes faster than it is logged
DRAIN_SECONDS = 5.0  # for more of the output that is still on its way when the container has ended
REST_SECONDS = 10.0  # for all of it
COUNT_SECONDS = 1.0  # for counting what the log takes no more of
MEGABYTE = 1_000_000
PATIENCE_SECONDS = 300.0  # for an engine that does not answer; then the task fails, and its retry adopts
PAUSE_SECONDS = 1.0

# the engine's clients block; threads are made as they are needed
_THREADS = ThreadPoolExecutor(max_workers=32, thread_name_prefix="rankalpha")


class Follower:
    """Follows one container; `write` gets each line of its output that was not `written` before, once.

    It is called in a thread, and only while the log has room, see `rankalpha.containers.copier`.
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
        self.left_out = ""  # what the log says of lines that it lacks
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

        Return `running` when it still does after `wait` seconds.
        Raises ContainerGone, and EngineLost when the engine did not answer for PATIENCE_SECONDS.
        """
        until = time.monotonic() + wait
        output = asyncio.create_task(self._copier.run())
        sampling = asyncio.create_task(self._sampler.run())
        try:
            while True:
                container = await self._look()
                if not container.running:
                    await self._drain(output)
                    await self._tell_left_out()
                    return "ended"
                if left(container, limit) <= 0:
                    await in_thread(self._runner.stop, self._id)
                    await self._drain(output)
                    await self._tell_left_out()
                    return "overdue"
                if (rest := until - time.monotonic()) <= 0:
                    return "running"
                pause = min(LOOK_SECONDS, left(container, limit) + 0.1, rest)
                await self._until_news(output, pause)
                if output.done():  # the container has ended, or the engine has hung up
                    await asyncio.sleep(0 if _ended_well(output) else PAUSE_SECONDS)
                    container = await self._look()
                    if container.running:
                        await asyncio.sleep(PAUSE_SECONDS)
                        output = asyncio.create_task(self._copier.run())
        finally:
            sampling.cancel()
            await _cancelled(output)

    async def _until_news(self, output: "asyncio.Task[None]", pause: float) -> None:
        """Wait for the end of the output, which is that of the container unless it lags, or for `pause`."""
        until = time.monotonic() + pause
        while not output.done() and (rest := until - time.monotonic()) > 0:
            await asyncio.wait({output}, timeout=min(rest, LAG_SECONDS))
            if self._copier.lags:
                return

    async def _drain(self, output: "asyncio.Task[None]") -> None:
        """Let the rest of the output arrive; then read on, for its stream may hang or have ended early."""
        deadline = time.monotonic() + REST_SECONDS
        with suppress(TimeoutError, StageFailed):
            await self._end_of(output, deadline)
        if self._copier.full:
            return
        try:
            await self._end_of(asyncio.create_task(self._copier.run()), deadline)
        except (TimeoutError, EngineLost) as error:
            if not self._copier.full:
                said = str(error) or "it hangs"
                self._log.warning("The end of the stage's output could not be read: %s", said)

    async def _end_of(self, output: "asyncio.Task[None]", deadline: float) -> None:
        """Wait while more of the output is logged, until `deadline`; raises TimeoutError when it hangs."""
        before: Mark | None = None
        try:
            while not output.done():
                now = time.monotonic()
                if before == (before := self._copier.written) and not self._copier.full:
                    raise TimeoutError
                if now >= deadline:
                    raise TimeoutError
                full = self._copier.full
                await asyncio.wait(
                    {output}, timeout=min(COUNT_SECONDS if full else DRAIN_SECONDS, deadline - now)
                )
                if full:  # what is still counted is not waited for
                    return
            output.result()
        finally:
            await _cancelled(output)

    async def _tell_left_out(self) -> None:
        """Say how much of the output the log lacks, and where the whole is."""
        copier = self._copier
        if not copier.full:
            return
        with suppress(StageFailed):
            whole = await in_thread(self._runner.whole, self._id)
            count = f"{'' if copier.read_all else 'More than '}{copier.left_out} lines"
            self.left_out = (
                f"{count} ({copier.left_out_bytes / MEGABYTE:.1f} MB) of the stage's output are not in this "
                f"log, which takes {settings().log_mb:g} MB of it (RANKALPHA_LOG_MB). "
                f"The whole output, until the container is removed: {whole}"
            )
            self._log.warning("%s", self.left_out)

    async def _look(self) -> Container:
        return await patiently(self._log, self._runner.look, self._id)


def joined(first: Mark, second: Mark) -> Mark:
    """Return how far an output was written by one, and then by another who went on from there."""
    if first.time == second.time:
        return Mark(first.time, first.lines + second.lines, first.size + second.size)
    last = max(first, second)
    return Mark(last.time, last.lines, first.size + second.size)


def left(container: Container, limit: timedelta) -> float:
    """Return for how many seconds a running container may go on, however often it was adopted."""
    return (limit - (datetime.now(UTC) - (container.started or container.created))).total_seconds()


async def patiently(log: Any, function: Callable[..., T], *arguments: Any) -> T:
    """Run what asks the engine, again for PATIENCE_SECONDS while it does not answer."""

    async def ask() -> T:
        return await in_thread(function, *arguments)

    def tell(state: RetryCallState) -> None:
        if state.attempt_number == 1 and state.outcome:
            log.warning("%s; trying again for %d s", state.outcome.exception(), PATIENCE_SECONDS)

    retrying = AsyncRetrying(
        retry=retry_if_exception_type(EngineLost),
        stop=stop_after_delay(PATIENCE_SECONDS),
        wait=wait_fixed(PAUSE_SECONDS),
        before_sleep=tell,
        reraise=True,
    )
    answer: T = await retrying(ask)
    if retrying.statistics["attempt_number"] > 1:
        log.info("The engine answers again")
    return answer


async def in_thread(function: Callable[..., T], *arguments: Any) -> T:
    """Run what blocks, without holding up the others."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, function, *arguments)


async def _cancelled(task: "asyncio.Task[None]") -> None:
    """Cancel a task and wait for its end; what it raises is not asked for."""
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()


def _ended_well(output: "asyncio.Task[None]") -> bool:
    return not output.cancelled() and output.exception() is None
