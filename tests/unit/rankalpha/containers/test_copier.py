"""A stage that prints much, and a log that takes it slowly: nobody waits, and the log stays small."""

import asyncio
import gc
import json
import logging
import re
import threading
import time
from contextvars import ContextVar
from datetime import timedelta
from pathlib import Path

import pytest

from rankalpha.containers import copier, drain, follow
from rankalpha.containers.copier import ENTRY_BYTES
from rankalpha.containers.follow import Follower
from rankalpha.runners.line import NOTHING, Line, Mark
from rankalpha.runners.process import ProcessRunner
from rankalpha.settings import settings
from tests.support.waiting import wait_for
from tests.unit.rankalpha.support.process_helpers import UNTIL_GO, ended, printed, run, start

HOUR = timedelta(hours=1)
FOREVER = "import itertools\nfor n in itertools.count(): print(n, 'x' * 150)"
log = logging.getLogger("task")


@pytest.fixture(autouse=True)
def folder(app_dir, monkeypatch, caplog) -> Path:
    caplog.set_level("INFO")
    monkeypatch.setattr(drain, "DRAIN_SECONDS", 0.3)
    monkeypatch.setattr(drain, "REST_SECONDS", 0.6)
    monkeypatch.setattr(copier, "LAST_SECONDS", 0.1)
    return app_dir


@pytest.fixture
def stuck():
    """What writes to a log that takes nothing while the test runs."""
    freed = threading.Event()
    yield lambda _: freed.wait(60)
    freed.set()


def bound(monkeypatch, lines: int, size: int) -> None:
    """Let the log take so many lines of that size."""
    monkeypatch.setenv("RANKALPHA_LOG_MB", str(lines * (size + 2 + ENTRY_BYTES) / follow.MEGABYTE))
    settings.cache_clear()


def followed(container, write, limit=HOUR, written=NOTHING):
    follower = Follower(ProcessRunner(), container.id, write, log, written)
    return asyncio.run(follower.follow(limit)), follower.written


def test_the_log_takes_so_much_and_says_what_it_lacks_and_where_that_is(folder, monkeypatch, caplog):
    bound(monkeypatch, 100, 10)
    container, lines = run(folder, "for n in range(1000): print(f'{n:010}')"), []
    assert followed(container, lines.append)[0] == "ended"
    assert [int(line.text) for line in lines] == [*range(100)]
    (said,) = caplog.messages
    assert said.startswith(
        "900 lines (0.0 MB) of the stage's output are not in this log, which takes 0.0412 MB"
    )
    assert "RANKALPHA_LOG_MB" in said
    whole = Path(re.search(r"container is removed: (\S+)$", said)[1]).read_text()
    assert len(whole.splitlines()) == 1000


def test_output_that_the_log_has_room_for_is_whole(folder, monkeypatch, caplog):
    bound(monkeypatch, 100, 10)
    container, lines = run(folder, "for n in range(100): print(f'{n:010}')"), []
    followed(container, lines.append)
    assert (len(lines), caplog.messages) == (100, [])


def test_what_is_escaped_in_the_log_counts_as_it_is_there(folder, monkeypatch):
    bound(monkeypatch, 100, 10)
    container, lines = run(folder, r"for n in range(100): print('\x1b' * 1000)"), []
    followed(container, lines.append)
    size = sum(len(json.dumps(line.text)) for line in lines)
    assert 0 < size <= 100 * (12 + ENTRY_BYTES)


def test_several_that_follow_one_after_the_other_share_the_room(folder, monkeypatch, caplog):
    bound(monkeypatch, 100, 10)
    container, lines = run(folder, "for n in range(1000): print(f'{n:010}')"), []
    _, first = followed(container, lines.append, written=Mark(size=40 * (12 + ENTRY_BYTES)))
    assert [int(line.text) for line in lines] == [*range(60)]
    followed(container, lines.append, written=first)
    assert len(lines) == 60
    assert [message.split()[0] for message in caplog.messages] == ["940", "940"]


def test_a_log_that_is_stuck_does_not_hide_the_end(folder, stuck, caplog):
    container = run(folder, "for n in range(1000): print(n)")
    assert followed(container, stuck)[0] == "ended"
    (left_out,) = [int(message.split()[0]) for message in caplog.messages]
    assert 1000 - copier.BATCH <= left_out < 1000  # one batch was being written


def test_a_log_that_is_slow_does_not_hide_the_end(folder, caplog):
    container = run(folder, "for n in range(2000): print(n)")
    lines = []
    end, written = followed(container, lambda line: (time.sleep(0.005), lines.append(line)))
    assert end == "ended"
    (left_out,) = [int(message.split()[0]) for message in caplog.messages]
    wait_for("what was begun to be written", lambda: len(lines) == 2000 - left_out)
    assert [int(line.text) for line in lines] == [*range(len(lines))]
    assert written.size > 0


def test_the_end_is_seen_soon_though_output_is_not_read_to_its_end(folder, stuck, monkeypatch):
    """Looks are rare; the test would take an hour."""
    monkeypatch.setattr(follow, "INSPECT_SECONDS", 3600)
    monkeypatch.setattr(follow, "LAG_SECONDS", 0.1)
    container = start(folder, f"for n in range(1000): print(n)\n{UNTIL_GO}")
    wait_for("the output", lambda: printed(container)[-1:] == ["999"])
    threading.Timer(0.5, (folder / "go").touch).start()
    assert followed(container, stuck)[0] == "ended"


def test_the_time_limit_holds_though_the_log_is_stuck(folder, stuck):
    container = start(folder, FOREVER)
    assert followed(container, stuck, timedelta(seconds=1))[0] == "overdue"
    over = ended(container)
    assert over.ended - over.started < timedelta(seconds=30)


def test_the_time_limit_holds_though_the_log_is_full(folder, monkeypatch, caplog):
    bound(monkeypatch, 10, 10)
    container, lines = start(folder, FOREVER), []
    assert followed(container, lines.append, timedelta(seconds=1))[0] == "overdue"
    assert len(lines) < 10
    assert "lines (" in caplog.messages[-1]


def test_others_have_their_turn_while_a_log_takes_nothing(folder):
    """The log goes on only because another task of the event loop has run meanwhile."""
    turn, lines = threading.Event(), []

    def write(line: Line) -> None:
        assert turn.wait(30)
        lines.append(line)

    async def both() -> None:
        following = asyncio.create_task(
            Follower(ProcessRunner(), run(folder, "print(1)").id, write, log).follow(HOUR)
        )
        while not following.done():
            await asyncio.sleep(0.01)
            turn.set()

    asyncio.run(both())
    assert len(lines) == 1


@pytest.mark.parametrize(
    "code",
    [
        "for n in range(200_000): print('x' * 200)",
        "for n in range(300_000): print()",
        "for n in range(3): print('x' * 50_000_000)",
        "print('x' * 100_000_000, end='')",
    ],
)
def test_no_step_of_the_event_loop_takes_long_whatever_is_printed(folder, code, monkeypatch):
    """In processor time, because a busy machine is late whoever steps; without what pytest has loaded."""
    for name in ("DRAIN_SECONDS", "REST_SECONDS", "COUNT_SECONDS"):
        monkeypatch.setattr(drain, name, 60)
    container, longest = run(folder, code), 0.0

    async def watched() -> None:
        nonlocal longest
        following = asyncio.create_task(
            Follower(ProcessRunner(), container.id, lambda _: None, log).follow(HOUR)
        )
        while not following.done():
            used = time.thread_time()
            await asyncio.sleep(0)
            longest = max(longest, time.thread_time() - used)

    gc.freeze()  # to look through all of it for garbage takes more than 100 ms
    try:
        asyncio.run(watched())
    finally:
        gc.unfreeze()
    assert longest < 0.1


def test_a_log_that_fails_fails_the_task_and_hangs_nobody(folder):
    def write(_: Line) -> None:
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        followed(run(folder, "for n in range(1000): print(n)"), write)


def test_lines_are_written_with_what_is_bound_to_the_log(folder):
    bound_to, seen = ContextVar("bound_to"), []
    bound_to.set("the task")
    followed(run(folder, "print(1)"), lambda _: seen.append(bound_to.get()))
    assert seen == ["the task"]


def test_who_hands_over_says_nothing_of_lines_that_the_next_one_writes(folder, caplog):
    container, lines = start(folder, f"for n in range(1000): print(n)\n{UNTIL_GO}"), []
    wait_for("the output", lambda: printed(container)[-1:] == ["999"])

    def write(line: Line) -> None:
        time.sleep(0.01)
        lines.append(line)

    follower = Follower(ProcessRunner(), container.id, write, log)
    assert asyncio.run(follower.follow(HOUR, wait=0.3)) == "running"
    assert caplog.messages == []
    (folder / "go").touch()


def test_who_leaves_waits_for_what_is_being_written_so_that_the_mark_holds(folder, monkeypatch):
    monkeypatch.setattr(copier, "LAST_SECONDS", 30)
    container, lines = start(folder, f"for n in range(100): print(n)\n{UNTIL_GO}"), []
    wait_for("the output", lambda: printed(container)[-1:] == ["99"])

    def write(line: Line) -> None:
        time.sleep(0.01)
        lines.append(line)

    follower = Follower(ProcessRunner(), container.id, write, log)
    assert asyncio.run(follower.follow(HOUR, wait=0.3)) == "running"
    (folder / "go").touch()
    followed(container, lines.append, written=follower.written)
    assert [int(line.text) for line in lines] == [*range(100)]
