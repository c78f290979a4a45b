"""Starts the trigger of a deferred task at once.

The main process of Airflow's triggerer looks for new triggers in the database, and the process that runs
them asks it for them, each once a second. Here PostgreSQL notifies the main process of a new trigger, which
then sends the other one a word, so that it asks. Without a notification, both look once a second.

Airflow 3.3.2 fails a task that goes on before its executor has reported that it was deferred (issue 72716).
Our executor does not mind, see `executor.py`. With any other one this fix leaves the triggerer as it is.
"""

import asyncio
import functools
import selectors
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Literal

from airflow.configuration import conf

from rankalpha.airflow_fixes.fix import AbsentError, Fix, part
from rankalpha.airflow_fixes.wakeup import Wakeup
from rankalpha.stack.notices import TRIGGERER

MODULE = "airflow.jobs.triggerer_job_runner"
EXECUTOR = "rankalpha.airflow_fixes.executor.FailFastLocalExecutor"
WORD = -1  # the id of what the main process sends unasked; Airflow counts requests from 0
WAITS_WITH = {"anyio", "Event", "_stop_event"}  # names in the loop that runs triggers
CLEANUP_SECONDS = 0.9  # at least, between two reports of what has ended; Airflow's loop rests a second


class Rest(asyncio.Event):
    """What the loop waits for between two looks; Airflow's own would end all waits once it was set."""

    async def wait(self) -> Literal[True]:
        """Wait for the next `set`."""
        await super().wait()
        self.clear()
        return True


class WithRest:
    """The library that the loop waits with, whose events are Rests."""

    Event = Rest

    def __init__(self, library: Any) -> None:
        self._library = library

    def __getattr__(self, name: str) -> Any:
        return getattr(self._library, name)


def apply() -> None:
    """Let the main process listen to the database, and the other process to the main process."""
    supervisor, runner = part(MODULE, "TriggerRunnerSupervisor"), part(MODULE, "TriggerRunner")
    for name in ("selector", "creating_triggers", "send_msg", "_on_socket_closed"):
        part(supervisor, name)
    part(part(MODULE, "TriggerCommsDecoder"), "_pending")
    if lacking := WAITS_WITH - {*part(runner, "arun").__code__.co_names}:
        raise AbsentError(f"TriggerRunner.arun has no {' and no '.join(sorted(lacking))}")
    ours = {
        "init_comms": expects_words,
        "sync_state_to_supervisor": takes_new_ones,
        "cleanup_finished_triggers": reports_ends_once_a_second,
    }
    replaced = {name: part(runner, name) for name in ours}
    anyio, loads = part(MODULE, "anyio"), part(supervisor, "load_triggers")
    if isinstance(anyio, WithRest) or conf.get("core", "executor") != EXECUTOR:
        return
    for name, made in ours.items():
        setattr(runner, name, functools.wraps(replaced[name])(made(replaced[name])))
    sys.modules[MODULE].anyio = WithRest(anyio)  # type: ignore[attr-defined]
    supervisor.load_triggers = functools.wraps(loads)(listens(loads))


def listens(replaced: Callable[..., None]) -> Callable[..., None]:
    """Return TriggerRunnerSupervisor.load_triggers; what it waits with ends a wait at each notification."""
    news = Wakeup(TRIGGERER)

    def read(_: Wakeup) -> bool:
        news.read()
        return news.listens  # otherwise Airflow waits for it no longer

    def load_triggers(self: Any) -> None:
        if news.listen_again():
            self.selector.register(news, selectors.EVENT_READ, (read, self._on_socket_closed))
        sent = bool(self.creating_triggers)  # a word for those that the other process has not yet taken
        replaced(self)
        if self.creating_triggers and not sent:
            with suppress(OSError):  # the other process has ended, which Airflow sees by itself
                self.send_msg(None, request_id=WORD)

    return load_triggers


def expects_words(replaced: Callable[..., Any]) -> Callable[..., Any]:
    """Return TriggerRunner.init_comms; at each word of the main process, the loop looks again."""

    async def init_comms(self: Any) -> None:
        await replaced(self)
        expect_word(self)

    return init_comms


def takes_new_ones(replaced: Callable[..., Any]) -> Callable[..., Any]:
    """Return TriggerRunner.sync_state_to_supervisor; new triggers also start when another one ends."""

    async def sync_state_to_supervisor(self: Any, finished_ids: list[int]) -> None:
        await replaced(self, finished_ids)
        if self.to_create:
            look_again(self)

    return sync_state_to_supervisor


def reports_ends_once_a_second(replaced: Callable[..., Any]) -> Callable[..., Any]:
    """Return TriggerRunner.cleanup_finished_triggers, which looks no more often than Airflow's loop does.

    The main process closes the log of a trigger that has ended, and has then to have read its last lines.
    """

    async def cleanup_finished_triggers(self: Any) -> list[int]:
        if time.monotonic() < getattr(self, "next_cleanup", 0.0):
            return []
        self.next_cleanup = time.monotonic() + CLEANUP_SECONDS
        finished: list[int] = await replaced(self)
        return finished

    return cleanup_finished_triggers


def look_again(runner: Any) -> None:
    """End the rest of the loop that runs triggers; when it does not rest, the next one."""
    rest = getattr(runner, "_stop_event", None)
    if isinstance(rest, Rest):
        rest.set()


def expect_word(runner: Any) -> None:
    """Look again at the next words.

    One that comes before the look for the one before it has begun needs no look of its own.
    """

    def heard(word: asyncio.Future[Any]) -> None:
        if not word.cancelled():  # as it is when the connection has ended
            expect_word(runner)
            look_again(runner)

    word = asyncio.get_running_loop().create_future()
    word.add_done_callback(heard)
    runner.comms_decoder._pending[WORD] = word  # noqa: SLF001  the requests whose answers are expected


FIX = Fix(name="deferrals", versions="3.3", apply=apply)
