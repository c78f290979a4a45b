"""The lines of a process's output, as they come."""

import asyncio
from collections.abc import AsyncGenerator, Callable

from rankalpha.runners.line import LONGEST_LINE, Line
from rankalpha.runners.process_output import Output, characters, line_of

POLL_SECONDS = 0.2
PIECE = 4 * LONGEST_LINE  # bytes of a line that are read; a character has at most four


async def lines_of(output: Output, since: str, running: Callable[[], bool]) -> AsyncGenerator[Line, None]:
    """Yield the lines from the time `since` on, until the process no longer runs."""
    if since:
        await asyncio.to_thread(output.go_to, since)
    ended, entry, unread = False, b"", 0
    while True:
        while piece := output.readline(PIECE):
            if len(entry) <= PIECE:  # more of a longer line is not needed
                entry += piece
            else:
                unread += characters(piece)
            if not piece.endswith(b"\n"):  # the rest of a long line is on its way
                await asyncio.sleep(0)
                continue
            line, entry, unread = line_of(entry, unread), b"", 0
            if line.time >= since:
                yield line
        if ended:
            return
        ended = not running()
        if not ended:
            await asyncio.sleep(POLL_SECONDS)
