"""The output of a process: lines `<time> <text>`, in the order of their times, in one file or two.

The shim writes to `output`; when that is full it becomes `output.1`, in place of an older file of that name.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Self

from rankalpha.runners.line import LONGEST_LINE, Line, shortened

TIME_BYTES = 30
CONTINUATION = bytes(range(0x80, 0xC0))  # the bytes of a character in UTF-8 after its first


def line_of(entry: bytes, unread: int = 0) -> Line:
    """Return the line of an entry of the file; `unread` as in `shortened`."""
    time, _, text = entry.decode(errors="replace").removesuffix("\n").partition(" ")
    return Line(time, shortened(text, unread))


def characters(piece: bytes) -> int:
    """Return how many characters of a line begin in a piece of it."""
    return len(piece.removesuffix(b"\n").translate(None, CONTINUATION))


class Output:
    """Reads both files as a single output, to its present end, while the shim writes.

    The folder may be renamed meanwhile. Output that the shim drops before it was read is missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        self._file = self._open("output")
        with suppress(FileNotFoundError):
            older = self._open("output.1")
            if _same(older, self._file):  # it was renamed just now
                older.close()
            else:
                self._file.close()
                self._file = older

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        os.close(self._folder)

    def readline(self, size: int) -> bytes:
        """Return the next line, or the next `size` bytes of a long line; nothing at the end."""
        while not (piece := self._file.readline(size)) and (newer := self._newer()):
            piece = self._file.readline(size)  # what was written before the newer one was begun
            if piece:
                newer.close()
                return piece
            self._file.close()
            self._file = newer
        return piece

    def go_to(self, time: str) -> None:
        """Go to the first line of that time or later."""
        while go_to(self._file, time) and (newer := self._newer()):
            self._file.close()
            self._file = newer

    def last_lines(self, count: int) -> Sequence[bytes]:
        """Return the last lines."""
        lines: Sequence[bytes] = last_lines(self._file, count)
        while newer := self._newer():
            self._file.close()
            self._file = newer
            lines = [*lines, *last_lines(newer, count)][-count:]
        return lines

    def _newer(self) -> BinaryIO | None:
        """Return the file that follows this full one; None while the shim writes to this one."""
        try:
            newer = self._open("output")  # first: see below
        except FileNotFoundError:  # it is being created, or the folder is being removed
            return None
        with suppress(FileNotFoundError):
            older = self._open("output.1")
            if not _same(newer, self._file) and not _same(older, self._file):  # this one is gone already
                newer.close()
                return older
            older.close()
        if _same(newer, self._file):
            newer.close()
            return None
        return newer

    def _open(self, name: str) -> BinaryIO:
        return os.fdopen(os.open(name, os.O_RDONLY, dir_fd=self._folder), "rb")


def _same(one: BinaryIO, other: BinaryIO) -> bool:
    return os.path.sameopenfile(one.fileno(), other.fileno())


def go_to(output: BinaryIO, time: str) -> bool:
    """Go to the first line of that time or later, without reading all of the file, which may be large.

    Return whether the file has no such line.
    """
    low = 0
    high = size = output.seek(0, os.SEEK_END)
    while low < high:  # the line begins after the one that `low` is in, or is the first one
        middle = (low + high) // 2
        output.seek(middle)
        _skip_line(output)
        if output.read(TIME_BYTES).decode(errors="replace") < time:
            low = middle + 1
        else:
            high = middle
    output.seek(low)
    if low:
        _skip_line(output)
    return output.tell() >= size


def _skip_line(output: BinaryIO) -> None:
    while (piece := output.readline(LONGEST_LINE)) and not piece.endswith(b"\n"):
        pass


def last_lines(output: BinaryIO, count: int) -> Sequence[bytes]:
    """Return the last lines, reading no more of the file than they can take."""
    size = output.seek(0, os.SEEK_END)
    begin = max(0, size - count * LONGEST_LINE)
    output.seek(begin)
    lines = output.read().removesuffix(b"\n").split(b"\n")  # not splitlines(): a form feed ends none
    if begin:  # the first one is not whole
        lines = lines[1:] or [b" " + lines[0]]
    return lines[-count:] if size else []
