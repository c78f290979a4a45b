"""Reads the rest of a container's output once it has ended: the stream may lag, hang, or have ended early."""

import asyncio
import time
from contextlib import suppress
from typing import Any

from rankalpha.containers.copier import Copier
from rankalpha.runners.failures import EngineLost, StageFailed
from rankalpha.runners.line import Mark

DRAIN_SECONDS = 5.0  # for more of the output to arrive when the container has ended
REST_SECONDS = 10.0  # for all of that output
COUNT_SECONDS = 1.0  # for counting lines that the full log does not take


async def drain(copier: Copier, output: "asyncio.Task[None]", log: Any) -> None:
    """Let the rest of the output arrive; then read on: the stream may hang or have ended early."""
    deadline = time.monotonic() + REST_SECONDS
    with suppress(TimeoutError, StageFailed):
        await _end_of(copier, output, deadline)
    if copier.full:
        return
    try:
        await _end_of(copier, asyncio.create_task(copier.run()), deadline)
    except (TimeoutError, EngineLost) as error:
        if not copier.full:
            reason = str(error) or "it hangs"
            log.warning("The end of the stage's output could not be read: %s", reason)


async def _end_of(copier: Copier, output: "asyncio.Task[None]", deadline: float) -> None:
    """Wait while more of the output is logged, until `deadline`; raises TimeoutError when it hangs."""
    before: Mark | None = None
    try:
        while not output.done():
            now = time.monotonic()
            if before == (before := copier.written) and not copier.full:
                raise TimeoutError
            if now >= deadline:
                raise TimeoutError
            full = copier.full
            await asyncio.wait(
                {output}, timeout=min(COUNT_SECONDS if full else DRAIN_SECONDS, deadline - now)
            )
            if full:  # counting is not waited for
                return
        output.result()
    finally:
        await cancelled(output)


async def cancelled(task: "asyncio.Task[None]") -> None:
    """Cancel a task and wait for its end; its exception is discarded."""
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()
