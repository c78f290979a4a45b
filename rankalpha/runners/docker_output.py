"""The output of a container as a Docker engine sends it; for `rankalpha.runners.docker`.

aiodocker follows it, because a triggerer follows hundreds of stages in one thread.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

from aiodocker import Docker
from aiohttp import ClientTimeout
from docker import APIClient

from rankalpha.runners.docker_client import API_VERSION
from rankalpha.runners.line import LONGEST_LINE, Line, shortened

CONNECT_SECONDS = 10


async def lines_of(url: str, container_id: str, since: str) -> AsyncGenerator[Line, None]:
    """Yield the lines from the time `since` on, until the container ends."""
    timeout = ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)  # output may pause for hours
    async with Docker(url=url, timeout=timeout, api_version=f"v{API_VERSION}") as docker:
        container: Any = docker.containers.container(container_id)  # its types say no generator
        log = container.log(stdout=True, stderr=True, follow=True, timestamps=True, since=unix_time(since))
        async with aclosing(log) as frames, aclosing(whole_lines(frames)) as lines:
            async for line in lines:
                yield line


def last_lines(client: APIClient, container_id: str, count: int) -> Sequence[str]:
    """Return the last lines so far."""
    printed: bytes = client.logs(container_id, tail=count)
    return [shortened(line) for line in printed.decode(errors="replace").splitlines()]


def unix_time(time: str) -> str:
    """Return an RFC 3339 time in UTC in the form of Docker's `since`: seconds.nanoseconds; 0 for no time."""
    if not time:
        return "0"
    seconds, _, rest = time.partition(".")
    whole = int(datetime.fromisoformat(seconds.rstrip("Z")).replace(tzinfo=UTC).timestamp())
    return f"{whole}.{rest.rstrip('Z') or 0}"


async def whole_lines(frames: AsyncIterator[str]) -> AsyncGenerator[Line, None]:
    """Yield the lines of what the engine sends: `<time> <text>` each, a long line in several such pieces.

    The pieces of a line have the same time; pieces of the other stream may come between them.
    """
    begun: dict[str, tuple[str, int]] = {}
    async for frame in frames:
        time, _, piece = frame.partition(" ")
        text, unread = begun.pop(time, ("", 0))
        if len(text) <= LONGEST_LINE:  # more of a longer line is not needed
            text += piece
        else:
            unread += len(piece.rstrip("\n"))
        if piece.endswith("\n"):
            yield Line(time, shortened(text.rstrip(), unread))
        else:
            begun[time] = text, unread
    for time, (text, unread) in begun.items():
        yield Line(time, shortened(text.rstrip(), unread))
