"""Copies a stage's output to its task's log, as far as RANKALPHA_LOG_MB allows, and holds nobody up.

Whoever reads the log at the other end may be slow, so a thread writes; the event loop only reads, in short
steps. What the log has no room for is read and counted.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from contextvars import copy_context

from rankalpha.runners.base import NOTHING, Line, Mark, Runner

ENTRY_BYTES = 400  # what Airflow adds to a line: time, names and keys
BATCH = 128  # lines that are written at once
STEP = 64  # lines that are read before it is another one's turn
LAST_SECONDS = 1.0  # for lines that are being written when the copying is cancelled

# one for all stages, in turns: they write to one log, of the process
_WRITER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="rankalpha-log")


class Copier:
    """Copies one container's output; `write` gets each line that was not `written` before, once, in a thread.

    `room` is how many bytes the log takes, `written` included. `left_out` counts the lines that it did not
    take, `left_out_bytes` their text.
    """

    def __init__(
        self,
        runner: Runner,
        container_id: str,
        write: Callable[[Line], None],
        room: float,
        written: Mark = NOTHING,
    ) -> None:
        self._runner = runner
        self._id = container_id
        self._write = write
        self._room = room
        self._lines = asyncio.Queue[Line | None](BATCH)
        self.written = written
        self.left_out = 0
        self.left_out_bytes = 0

    @property
    def lags(self) -> bool:
        """Whether much of the output may still be unread, so that its end tells late of the stage's end."""
        return self.full or self._lines.full()

    @property
    def full(self) -> bool:
        """Whether the log takes no more."""
        return self.left_out > 0

    async def run(self) -> None:
        """Copy to the end of the output, or until cancelled; what was begun is then written all the same."""
        self._lines = lines = asyncio.Queue[Line | None](BATCH)
        both = [asyncio.create_task(self._read_to(lines)), asyncio.create_task(self._write_from(lines))]
        try:
            done, _ = await asyncio.wait(both, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            for task in both:
                task.cancel()  # once only: a second time would end the wait for what is being written
            await asyncio.wait(both)

    async def _read_to(self, lines: "asyncio.Queue[Line | None]") -> None:
        since, again, *_ = self.written
        steps = 0
        async with aclosing(self._runner.lines(self._id, since)) as output:
            async for line in output:
                if line.time < since or (line.time == since and again > 0):
                    again -= line.time == since
                else:
                    await lines.put(line)
                steps += 1
                if steps % STEP == 0:  # neither reading nor putting lets others in while there is more
                    await asyncio.sleep(0)
        await lines.put(None)

    async def _write_from(self, lines: "asyncio.Queue[Line | None]") -> None:
        over = False
        while not over:
            batch = [await lines.get()]
            while not lines.empty():
                batch.append(lines.get_nowait())
            over = batch[-1] is None
            if taken := [line for line in batch if line and self._takes(line)]:
                await self._write_in_thread(taken)

    def _takes(self, line: Line) -> bool:
        """Note that the line was read, and tell whether the log has room for it."""
        time, lines, size = self.written
        lines = lines + 1 if line.time == time else lines if line.time < time else 1
        entry = (
            len(json.dumps(line.text)) + ENTRY_BYTES
        )  # escaped as in the log, where it can be six times as long
        fits = not self.full and size + entry <= self._room
        self.written = Mark(max(time, line.time), lines, size + entry * fits)
        if not fits:
            self.left_out += 1
            self.left_out_bytes += len(line.text)
        return fits

    async def _write_in_thread(self, lines: Sequence[Line]) -> None:
        # with what is bound to the log: Airflow finds the task's file by it
        job = asyncio.get_running_loop().run_in_executor(
            _WRITER, copy_context().run, lambda: [self._write(line) for line in lines]
        )
        try:
            await asyncio.shield(job)
        except asyncio.CancelledError:
            await asyncio.wait({job}, timeout=LAST_SECONDS)
            raise
