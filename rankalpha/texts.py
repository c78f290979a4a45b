"""How long a text may be that quotes others, such as a stage's output: cut, with a note of what is missing.

Whoever quotes what may hold a secret masks it first: a part of a secret is not masked any more.
"""

import re

SHOWN = 100  # characters of a value in a message
QUOTED_LINE = 500  # characters of a line of output in an error
ANSWER = 500  # of what a service has answered
ERROR = 16_000  # of an error; TAIL_LINES lines of output have room in it
UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")  # all but tabs and ends of lines


def cut(text: str, longest: int) -> str:
    """Return a text of at most `longest` characters: its beginning, how many are missing, and its end.

    The end gets a third, because it says what to do. The note is whole even when `longest` has no room for
    it.
    """
    if len(text) <= longest:
        return text
    room = max(0, longest - len(_note(len(text))))
    end = room // 3
    begin = room - end
    return f"{text[:begin]}{_note(len(text) - room)}{text[len(text) - end :]}"


def shown(value: object) -> str:
    """Return a value for a message: a text in quotes, and the beginning of a long value."""
    if isinstance(value, str):
        return repr(value) if len(value) <= SHOWN else f"{value[:SHOWN]!r}… ({len(value)} characters)"
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}… ({len(text)} characters)"


def printable(text: str) -> str:
    """Return a text that can be mailed and stored, without control characters and half characters."""
    return UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def one_line(text: str) -> str:
    """Return a text as one line, because mail servers refuse a subject of several lines."""
    return " ".join(text.split())


def count(number: int, thing: str, things: str = "") -> str:
    """Return a number of things in words: `1 row`, `2 rows`; `things` is the plural if `s` is not enough."""
    return f"{number} {thing if number == 1 else things or f'{thing}s'}"


def _note(missing: int) -> str:
    return f" [… {missing} characters are left out …] "
