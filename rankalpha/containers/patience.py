"""Asks an engine whose clients block, and again while it does not answer."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_delay, wait_fixed

from rankalpha.runners.failures import EngineLost

T = TypeVar("T")

PATIENCE_SECONDS = 300.0  # then the attempt fails, and the next adopts the stage
PAUSE_SECONDS = 1.0

_THREADS = ThreadPoolExecutor(max_workers=32, thread_name_prefix="rankalpha")  # created when they are needed


async def patiently(log: Any, function: Callable[..., T], *arguments: Any) -> T:
    """Call what asks the engine, and again while it does not answer, for PATIENCE_SECONDS at most."""

    async def ask() -> T:
        return await in_thread(function, *arguments)

    def warn(state: RetryCallState) -> None:
        if state.attempt_number == 1 and state.outcome:
            log.warning("%s; trying again for %d s", state.outcome.exception(), PATIENCE_SECONDS)

    retrying = AsyncRetrying(
        retry=retry_if_exception_type(EngineLost),
        stop=stop_after_delay(PATIENCE_SECONDS),
        wait=wait_fixed(PAUSE_SECONDS),
        before_sleep=warn,
        reraise=True,
    )
    answer: T = await retrying(ask)
    if retrying.statistics["attempt_number"] > 1:
        log.info("The engine answers again")
    return answer


async def in_thread(function: Callable[..., T], *arguments: Any) -> T:
    """Run a function that blocks in a thread."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, function, *arguments)
