"""The output of a process: a file of lines `<time> <text>`, in the order of their times."""

import os
from collections.abc import Sequence
from typing import BinaryIO

from rankalpha.runners.base import LONGEST_LINE, Line, shortened

TIME_BYTES = 30
CONTINUATION = bytes(range(0x80, 0xC0))  # the bytes of a character in UTF-8 after its first


def line_of(entry: bytes, unread: int = 0) -> Line:
    """Return what an entry of the file says; `unread` as in `shortened`."""
    time, _, text = entry.decode(errors="replace").removesuffix("\n").partition(" ")
    return Line(time, shortened(text, unread))


def characters(piece: bytes) -> int:
    """Return how many characters of a line begin in a piece of it."""
    return len(piece.removesuffix(b"\n").translate(None, CONTINUATION))


def go_to(output: BinaryIO, time: str) -> None:
    """Go to the first line of that time or later; the file may be large, so it is not read for that."""
    low, high = 0, output.seek(0, os.SEEK_END)
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


def _skip_line(output: BinaryIO) -> None:
    while (piece := output.readline(LONGEST_LINE)) and not piece.endswith(b"\n"):
        pass


def last_lines(output: BinaryIO, count: int) -> Sequence[bytes]:
    """Return the last lines, without reading more of the file than such lines can be long."""
    size = output.seek(0, os.SEEK_END)
    begin = max(0, size - count * LONGEST_LINE)
    output.seek(begin)
    lines = output.read().removesuffix(b"\n").split(b"\n")  # not splitlines(): a form feed ends none
    if begin:  # the first one is not whole
        lines = lines[1:] or [b" " + lines[0]]
    return lines[-count:] if size else []
