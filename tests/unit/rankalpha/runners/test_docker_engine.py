"""What a Docker engine says and gives back is read right, down to what it says rarely."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from docker.errors import NotFound

from rankalpha.runners.docker_engine import container_of, result, unix_time, whole_lines
from rankalpha.runners.failures import StageInvalid
from rankalpha.runners.file_system import RESULT_PATH
from rankalpha.runners.line import LONGEST_LINE, Line
from tests.unit.rankalpha.support.fake_docker import ID, Client, found, refused

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


STARTED = datetime(2025, 11, 20, 6, 0, 2, 500_000, tzinfo=UTC)
RAN = {"StartedAt": "2025-11-20T06:00:02.5Z", "FinishedAt": "2025-11-20T06:00:05.123456789Z"}


def test_a_container_that_never_ran_has_no_times_and_no_status():
    one = container_of(found("a-name", {"x": "y"}))
    assert (one.id, one.name, one.labels) == (ID, "a-name", {"x": "y"})
    assert one.created == datetime(2025, 11, 20, 6, 0, 1, 123_456, tzinfo=UTC)
    assert (one.running, one.started, one.ended, one.status) == (False, None, None, None)


def test_a_container_that_runs_has_not_ended():
    """Even though an earlier run of it has."""
    one = container_of(found(**RAN, Running=True))
    assert (one.running, one.started, one.ended, one.status) == (True, STARTED, None, None)


@pytest.mark.parametrize(("status", "killed"), [(0, False), (137, True)])
def test_a_container_that_has_ended_has_a_status(status, killed):
    one = container_of(found(**RAN, ExitCode=status, OOMKilled=killed))
    assert (one.running, one.status, one.out_of_memory) == (False, status, killed)
    assert (one.started, one.ended) == (STARTED, STARTED + timedelta(seconds=2, microseconds=623_456))


def test_a_container_without_labels():
    assert container_of(found(labels=None)).labels == {}


def test_the_result_is_read_whole_and_the_container_let_go():
    client = Client()
    client.result = b'{"rows": 3}' * 100
    assert result(client, ID, "demo") == client.result
    assert client.calls == [f"get_archive {ID}", "sent"]


@pytest.mark.parametrize(
    ("stat", "wrong"),
    [
        ({"size": 1024 * 1024 + 1}, "has 1048577 bytes, of 1048576 at most"),
        ({"mode": 0o644 | 1 << 27}, "is not a plain file"),  # a symbolic link in Go
        ({"mode": 0o755 | 1 << 31}, "is not a plain file"),  # a folder
    ],
)
def test_what_is_no_result_is_refused_and_the_container_let_go(stat, wrong):
    client = Client()
    client.result, client.stat = b"{}", stat
    with pytest.raises(StageInvalid, match=f"stage demo: its result {RESULT_PATH} {wrong}"):
        result(client, ID, "demo")
    assert client.calls == [f"get_archive {ID}", "sent"]


def test_no_result_is_told_from_no_container():
    client = Client()
    assert result(client, ID, "demo") == b""
    client.fails = {f"inspect {ID}": refused("No such container", 404)}
    with pytest.raises(NotFound, match="No such container"):
        result(client, ID, "demo")
