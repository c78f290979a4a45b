"""The lines of a stage's output, and how far they were logged."""

from dataclasses import dataclass
from typing import NamedTuple

LONGEST_LINE = 64 * 1024  # characters; the rest of a longer line is left out, see `shortened`


@dataclass(frozen=True)
class Line:
    """A line of a stage's output; `time` in UTC, RFC 3339 with nanoseconds, so that it sorts as text."""

    time: str
    text: str


class Mark(NamedTuple):
    """How far an output was logged: the time of the last line, and how many lines have that time.

    The text of a line does not identify it, because it may have been masked. `size` is the bytes of log that
    the output took.
    """

    time: str = ""
    lines: int = 0
    size: int = 0


NOTHING = Mark()


def shortened(text: str, unread: int = 0) -> str:
    """Return a line of output, cut when it is very long, because handling it must not take seconds.

    `unread` is the number of characters of the line that are not in `text`.
    """
    missing = len(text) - LONGEST_LINE + unread
    return (
        text
        if missing <= 0
        else f"{text[:LONGEST_LINE]} [at least {missing} more characters of this line are left out]"
    )


def later_mark(first: Mark, second: Mark) -> Mark:
    """Return how far an output is written after a second writer went on from where the first had stopped."""
    if first.time == second.time:
        return Mark(first.time, first.lines + second.lines, first.size + second.size)
    last = max(first, second)
    return Mark(last.time, last.lines, first.size + second.size)
