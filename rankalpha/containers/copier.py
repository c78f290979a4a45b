"""Copies a stage's output to its task's log, as far as RANKALPHA_LOG_MB allows, without blocking others.

Airflow takes the lines of a log slowly, in a triggerer some hundred a second. So a thread writes; the event
loop only reads, in short steps, and never waits for the thread. Lines without room in the log are read and
counted.
"""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from contextvars import copy_context

from rankalpha.runners.base import Runner
from rankalpha.runners.line import NOTHING, Line, Mark

ENTRY_BYTES = 400  # what Airflow adds to a line: time, names and keys
BATCH = 128  # lines that are written at once
STEP = 64  # lines that are read before others have their turn
WRITER_SECONDS = 0.001  # for the thread, which would otherwise wait for Python's lock at each line
FEW = 16  # lines
SLOW_SECONDS = 0.05  # that a few lines take when the receiver of the log is busy
PAUSE_SECONDS = 0.02  # then; meanwhile others can log, such as the event loop itself
LAST_SECONDS = 1.0  # for lines that are being written when copying is cancelled

# one thread for all stages, in turns: they write to the same log, that of the process
_WRITER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="rankalpha-log")


class Copier:
    """Copies one container's output; `write` gets each line that was not `written` before, once, in a thread.

    `room` is how many bytes the log takes, `written` included. `left_out` counts the lines that it did not
    take, `left_out_bytes` the bytes of their text, and `read_all` says whether all lines were counted.
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
        self._lines = asyncio.Queue[Line | None]()  # as many as the log has room for
        self.written = written
        self.read_all = False
        self.left_out = 0
        self.left_out_bytes = 0

    @property
    def lags(self) -> bool:
        """Whether much of the output may still be unread, so that it ends long after the stage."""
        return self.full or self._lines.qsize() >= BATCH

    @property
    def full(self) -> bool:
        """Whether the log takes no more."""
        return self.left_out > 0

    async def run(self) -> None:
        """Copy to the end of the output, or until cancelled; a batch that is being written is finished."""
        self._lines = lines = asyncio.Queue[Line | None]()
        self.left_out, self.left_out_bytes, self.read_all = 0, 0, False  # of the output after the mark
        both = [asyncio.create_task(self._read_to(lines)), asyncio.create_task(self._write_from(lines))]
        try:
            done, _ = await asyncio.wait(both, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            for task in both:
                task.cancel()  # once only: a second time would end the wait for the thread
            await asyncio.wait(both)
            while not lines.empty():
                if line := lines.get_nowait():
                    self._leave_out(line)

    async def _read_to(self, lines: "asyncio.Queue[Line | None]") -> None:
        since, again, taken = self.written
        steps = 0
        async with aclosing(self._runner.lines(self._id, since)) as output:
            async for line in output:
                if line.time < since or (line.time == since and again > 0):
                    again -= line.time == since
                elif self.full or taken + _size(line) > self._room:
                    self._leave_out(line)
                else:
                    taken += _size(line)
                    lines.put_nowait(line)
                steps += 1
                if steps % STEP == 0:  # reading blocks loop and thread while there is more
                    await asyncio.sleep(0 if lines.empty() else WRITER_SECONDS)
        self.read_all = True
        lines.put_nowait(None)

    async def _write_from(self, lines: "asyncio.Queue[Line | None]") -> None:
        at_end = False
        while not at_end:
            batch = [await lines.get()]
            while len(batch) < BATCH and not lines.empty():
                batch.append(lines.get_nowait())
            at_end = batch[-1] is None
            taken = [line for line in batch if line]
            for line in taken:
                self._mark(line)
            await self._write_in_thread(taken)

    def _mark(self, line: Line) -> None:
        last, lines, size = self.written
        lines = lines + 1 if line.time == last else lines if line.time < last else 1
        self.written = Mark(max(last, line.time), lines, size + _size(line))

    def _leave_out(self, line: Line) -> None:
        self.left_out += 1
        self.left_out_bytes += len(line.text)

    def _write_all(self, lines: Sequence[Line]) -> None:
        for some in (lines[at : at + FEW] for at in range(0, len(lines), FEW)):
            begun = time.monotonic()
            for line in some:
                self._write(line)
            if time.monotonic() - begun > SLOW_SECONDS:
                time.sleep(PAUSE_SECONDS)

    async def _write_in_thread(self, lines: Sequence[Line]) -> None:
        # with the variables that are bound to the log: by them Airflow finds the file of the task
        job = asyncio.get_running_loop().run_in_executor(_WRITER, copy_context().run, self._write_all, lines)
        try:
            await asyncio.shield(job)
        except asyncio.CancelledError:
            await asyncio.wait({job}, timeout=LAST_SECONDS)
            raise


def _size(line: Line) -> int:
    # escaped as in the log, where a text can be six times as long
    return len(json.dumps(line.text)) + ENTRY_BYTES
