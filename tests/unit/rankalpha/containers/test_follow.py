"""A stage is followed to its end: every line once, the time limit, and an engine that goes away."""

import asyncio
import logging
import math
import time
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest

from rankalpha.containers import drain, follow, patience
from rankalpha.containers.follow import End, Follower
from rankalpha.runners import process_stop
from rankalpha.runners.container import Container
from rankalpha.runners.failures import ContainerGone, EngineLost
from rankalpha.runners.line import NOTHING, Line, Mark, later_mark
from rankalpha.runners.process import ProcessRunner
from tests.support.waiting import wait_for
from tests.unit.rankalpha.support.process_helpers import (
    NAME,
    UNTIL_GO,
    let_it_have_run,
    output,
    printed,
    run,
    start,
)

HOUR = timedelta(hours=1)
COUNT = "import time\nfor n in range(40): time.sleep(0.02); print(n)"
HALF_AND_HALF = f"for n in range(20): print(n)\n{UNTIL_GO}for n in range(20, 40): print(n)"
NUMBERS = [*map(str, range(40))]
log = logging.getLogger("task")


@pytest.fixture(autouse=True)
def folder(app_dir, monkeypatch, caplog) -> Path:
    caplog.set_level("INFO")
    for module in (follow, patience):
        monkeypatch.setattr(module, "PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(follow, "INSPECT_SECONDS", 0.2)
    monkeypatch.setattr(drain, "DRAIN_SECONDS", 0.5)
    return app_dir


class Unsteady(ProcessRunner):
    """An engine that can be lost, and whose stream of output can break or hang after some lines."""

    def __init__(self) -> None:
        super().__init__()
        self.lost = 0.0  # for so many looks
        self.trouble: list[str] = []  # of the next streams: what comes after three lines

    def inspect(self, container_id: str) -> Container:
        self.lost -= 1
        if self.lost >= 0:
            raise EngineLost("lost the engine")
        return super().inspect(container_id)

    async def lines(self, container_id: str, since: str = "") -> AsyncGenerator[Line, None]:
        trouble, number = self.trouble.pop(0) if self.trouble else "", 0
        async for line in super().lines(container_id, since):
            yield line
            number += 1
            if trouble and number == 3:
                if trouble == "hangs":
                    await asyncio.sleep(3600)
                if trouble == "breaks":
                    raise EngineLost("the stream broke")
                return


def followed(
    container: Container,
    limit: timedelta = HOUR,
    runner: ProcessRunner | None = None,
    written: Mark = NOTHING,
) -> tuple[End, list[str]]:
    """Return how the container has ended and the lines that were written."""
    texts: list[str] = []
    follower = Follower(
        runner or ProcessRunner(), container.id, lambda line: texts.append(line.text), log, written
    )
    return asyncio.run(follower.follow(limit)), texts


def test_a_stage_is_followed_to_its_end(folder):
    assert followed(start(folder, COUNT)) == ("ended", NUMBERS)


def test_a_stage_that_has_ended_leaves_its_output(folder):
    assert followed(run(folder, COUNT)) == ("ended", NUMBERS)


def test_a_stage_is_stopped_at_its_limit(folder, monkeypatch):
    monkeypatch.setattr(process_stop, "GRACE_SECONDS", 60)
    monkeypatch.setattr(follow, "INSPECT_SECONDS", 3600)
    code = (
        "import signal, sys\nsignal.signal(15, lambda *_: (print('asked'), sys.exit(9)))\nprint(1)" + UNTIL_GO
    )
    container = start(folder, code)
    wait_for("the first line", lambda: printed(container))
    let_it_have_run(container, minutes=59, seconds=58)
    assert followed(container) == ("overdue", ["1", "asked"])
    assert ProcessRunner().inspect(container.id).status == 9


def test_the_limit_counts_from_the_start_however_often_a_stage_is_adopted(folder):
    container = start(folder, UNTIL_GO)
    limit = timedelta(hours=2)
    for _ in range(2):
        assert follow_for_a_moment(container, limit) == "running"
        let_it_have_run(container, minutes=59)
    assert follow_for_a_moment(container, limit) == "running"
    let_it_have_run(container, minutes=2)
    assert followed(container, limit)[0] == "overdue"


def follow_for_a_moment(container: Container, limit: timedelta) -> End:
    return asyncio.run(Follower(ProcessRunner(), container.id, lambda _: None, log).follow(limit, wait=0))


def test_a_second_follower_goes_on_where_the_first_was_killed(folder):
    container, first = start(folder, HALF_AND_HALF), []

    async def killed_soon() -> None:
        begun, loop = asyncio.Event(), asyncio.get_running_loop()

        def write(line: Line) -> None:
            first.append(line)
            if len(first) == 7:
                loop.call_soon_threadsafe(begun.set)

        following = asyncio.create_task(Follower(ProcessRunner(), container.id, write, log).follow(HOUR))
        await asyncio.wait_for(begun.wait(), 20)
        following.cancel()
        await asyncio.wait([following])
        assert following.cancelled()

    asyncio.run(killed_soon())
    assert 7 <= len(first) <= 20
    (folder / "go").touch()
    end, rest = followed(container, written=Mark(first[-1].time, 1))
    assert end == "ended"
    assert [line.text for line in first] + rest == NUMBERS


def test_lines_of_one_time_are_told_apart_though_they_were_masked(folder):
    container = run(folder, "")
    times = ["2025-11-20T06:00:00.000000001Z", "2025-11-20T06:00:00.000000002Z"]
    lines = [f"{times[0]} a", f"{times[0]} key", f"{times[0]} key", f"{times[1]} b", f"{times[1]} b"]
    (folder.parent / "processes" / NAME / "output").write_text("\n".join(lines) + "\n")
    assert followed(container) == ("ended", ["a", "key", "key", "b", "b"])
    assert followed(container, written=Mark(times[0], 2)) == ("ended", ["key", "b", "b"])


def test_whoever_waits_for_a_while_only_tells_how_far_the_output_was_written(folder):
    container, first = start(folder, HALF_AND_HALF), []
    follower = Follower(ProcessRunner(), container.id, lambda line: first.append(line.text), log)
    ends = set()
    wait_for("a line", lambda: ends.add(asyncio.run(follower.follow(HOUR, wait=0.2))) or first)
    assert ends == {"running"}
    (folder / "go").touch()
    assert followed(container, written=follower.written) == ("ended", NUMBERS[len(first) :])


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [
        (Mark("1", 2), Mark(), Mark("1", 2)),
        (Mark(), Mark("1", 2), Mark("1", 2)),
        (Mark("1", 2), Mark("2", 1), Mark("2", 1)),
        (Mark("1", 2), Mark("1", 1), Mark("1", 3)),
    ],
)
def test_what_two_have_written_one_after_the_other(first, second, both):
    assert later_mark(first, second) == both


def test_an_engine_that_is_lost_for_a_while_is_waited_for(folder, caplog):
    runner, container = Unsteady(), start(folder, COUNT)
    runner.lost = 5
    assert followed(container, runner=runner) == ("ended", NUMBERS)
    assert caplog.messages == ["lost the engine; trying again for 300 s", "The engine answers again"]


def test_an_engine_that_stays_lost_fails_the_task_and_not_the_stage(folder, monkeypatch):
    monkeypatch.setattr(patience, "PATIENCE_SECONDS", 0.3)
    runner, container = Unsteady(), start(folder, COUNT)
    runner.lost = math.inf
    began = time.monotonic()
    with pytest.raises(EngineLost, match="lost the engine"):
        followed(container, runner=runner)
    assert time.monotonic() - began > 0.3
    assert followed(container) == ("ended", NUMBERS)


@pytest.mark.parametrize("trouble", [["hangs"], ["breaks"] * 3, ["ends"] * 3])
def test_output_is_whole_though_its_stream_is_not(folder, trouble):
    runner, container = Unsteady(), start(folder, COUNT)
    runner.trouble = trouble
    assert followed(container, runner=runner) == ("ended", NUMBERS)
    assert runner.trouble == []


def test_output_that_cannot_be_read_does_not_hide_the_end(folder, caplog):
    runner, container = Unsteady(), start(folder, COUNT)
    runner.trouble = ["hangs"] * 2
    assert followed(container, runner=runner)[0] == "ended"
    assert caplog.messages == ["The end of the stage's output could not be read: it hangs"]
    assert [line.text for line in output(container)] == NUMBERS


def test_a_stage_that_was_removed_is_missed(folder):
    container = run(folder, "")
    ProcessRunner().remove(container.id)
    with pytest.raises(ContainerGone):
        followed(container)
