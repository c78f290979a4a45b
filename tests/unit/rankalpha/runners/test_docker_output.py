"""The lines of a container are read right from what a Docker engine sends, and so are their times written."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from rankalpha.runners.docker_output import unix_time, whole_lines
from rankalpha.runners.line import LONGEST_LINE, Line

ONE, TWO = "2025-11-20T06:00:00.000000001Z", "2025-11-20T06:00:00.000000002Z"


def lines(*frames: str) -> list[Line]:
    async def sent() -> AsyncIterator[str]:
        for frame in frames:
            yield frame

    async def read() -> list[Line]:
        return [line async for line in whole_lines(sent())]

    return asyncio.run(read())


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ([f"{ONE} one\n", f"{TWO} two\n"], [Line(ONE, "one"), Line(TWO, "two")]),
        ([f"{ONE} one\r\n", f"{TWO} \n"], [Line(ONE, "one"), Line(TWO, "")]),
        ([f"{ONE}   two  words \n"], [Line(ONE, "  two  words")]),
        ([f"{ONE} %s %d {{x}}\n"], [Line(ONE, "%s %d {x}")]),
        ([f"{ONE} a long ", f"{ONE} line\n", f"{TWO} two\n"], [Line(ONE, "a long line"), Line(TWO, "two")]),
        (
            [f"{ONE} out ", f"{TWO} err ", f"{ONE} out\n", f"{TWO} err\n"],
            [Line(ONE, "out out"), Line(TWO, "err err")],
        ),
        ([f"{ONE} one\n", f"{TWO} no newline"], [Line(ONE, "one"), Line(TWO, "no newline")]),
        ([], []),
    ],
)
def test_frames_are_made_lines(frames, expected):
    assert lines(*frames) == expected


@pytest.mark.parametrize("end", ["\n", ""])
def test_of_a_very_long_line_the_rest_is_left_out(end):
    pieces = [f"{ONE} {'x' * 16_384}"] * 1000
    first, *others = lines(*pieces, f"{ONE} x{end}", f"{TWO} two\n")
    if not end:
        first, others = others[0], [first]  # it may still go on when the other one has come
    assert first == Line(
        ONE,
        "x" * LONGEST_LINE
        + f" [at least {1000 * 16_384 + 1 - LONGEST_LINE} more characters of this line are left out]",
    )
    assert others == [Line(TWO, "two")]


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("", "0"),
        ("1970-01-02T00:00:00Z", "86400.0"),
        ("1970-01-02T00:00:00.000000001Z", "86400.000000001"),
        ("2025-11-20T06:00:00.120000000Z", "1763618400.120000000"),
    ],
)
def test_times_are_written_as_docker_takes_them(time, expected):
    assert unix_time(time) == expected
