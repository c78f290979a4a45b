"""A container's output: each line once, whole, in order, with the time at which it was printed."""

import asyncio
import re
from collections import Counter
from contextlib import aclosing
from datetime import UTC, datetime

import pytest

from rankalpha.runners.docker import DockerRunner
from tests.engine.stage_jobs import ASKED, BOTH_WAYS, output, texts

pytestmark = pytest.mark.usefixtures("swept", "way")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z")


def moment(line):
    return datetime.fromisoformat(f"{line.time[:26]}+00:00")


@BOTH_WAYS
def test_lines_arrive_while_the_stage_runs_with_the_times_at_which_they_were_printed(jobs):
    """It prints the second one because the first has arrived."""
    begin = datetime.now(UTC)
    one = jobs.start(jobs.run(ASKED))

    async def read():
        async with aclosing(DockerRunner().lines(one.id)) as lines:
            first, arrived = await anext(lines), datetime.now(UTC)
            await asyncio.to_thread(DockerRunner().stop, one.id)
            return first, arrived, [line async for line in lines]

    first, arrived, (second,) = asyncio.run(read())
    assert texts([first, second]) == ["one", "two"]
    assert all(TIME.fullmatch(line.time) for line in (first, second))
    assert begin <= moment(first) <= arrived <= moment(second) <= datetime.now(UTC)


def test_output_is_kept_when_the_stage_has_ended(jobs):
    one = jobs.ended(jobs.python("for n in range(20_000): print(n)"))
    lines = output(one.id)
    assert texts(lines) == [*map(str, range(20_000))]
    assert [line.time for line in lines] == sorted(line.time for line in lines)


def test_the_first_line_is_never_lost(jobs):
    for number in range(5):
        identity = {"batch": f"2026-11-22T06:00:0{number}"}
        one = jobs.start(jobs.run(f"echo {number}", identity=jobs.identity(**identity)), **identity)
        assert texts(output(one.id)) == [str(number)]


@BOTH_WAYS
def test_output_goes_on_from_a_time(jobs):
    one = jobs.ended(jobs.python("import time\nfor n in range(10): print(n); time.sleep(0.01)"))
    lines = output(one.id)
    for number in (0, 4, 9):
        assert output(one.id, lines[number].time) == lines[number:]
    assert output(one.id, "2100-01-01T00:00:00.000000000Z") == []


LINES = r"""
import os
os.write(1, b"a \xff b\n")
os.write(2, b"%s {} \x1b[1mbold\x1b[0m\r\n\n  indented\n")
os.write(1, b"no newline")
"""


def test_lines_are_what_was_printed(jobs):
    lines = output(jobs.ended(jobs.python(LINES)).id)
    printed = ["", "  indented", "%s {} \x1b[1mbold\x1b[0m", "a \ufffd b", "no newline"]
    assert sorted(texts(lines)) == printed
    assert texts(lines)[-1] == "no newline"
    assert all(TIME.fullmatch(line.time) for line in lines)


LONG = """
import os, threading
def say(stream, letter):
    for number in range(20): os.write(stream, letter * 40_000 + b"\\n")
threads = [threading.Thread(target=say, args=args) for args in ((1, b"o"), (2, b"e"))]
for thread in threads: thread.start()
"""


def test_long_lines_are_whole_though_both_streams_write_them(jobs):
    """Docker keeps 16 KiB at most in one piece, and one stream's pieces between those of the other."""
    lines = output(jobs.ended(jobs.python(LONG)).id)
    assert Counter(texts(lines)) == {"o" * 40_000: 20, "e" * 40_000: 20}


def test_a_reader_that_leaves_does_not_disturb_the_stage(jobs):
    one = jobs.start(jobs.run("sh -c 'echo one; sleep 1; echo two'"))

    async def read():
        async with aclosing(DockerRunner().lines(one.id)) as lines:
            return await anext(lines)

    assert asyncio.run(read()).text == "one"
    assert texts(output(one.id)) == ["one", "two"]
    assert DockerRunner().inspect(one.id).status == 0
