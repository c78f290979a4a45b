"""What a chat model's answer holds: a rating, whatever is around it, or a refusal."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

KEY = "sentiment"
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)")  # as text, which some models write
THOUGHT_END = "</think>"  # a reasoning model's thoughts come before its answer
THOUGHT = re.compile(r"^\s*<think>")
LONGEST = 20_000  # characters from the end that are read: what is no JSON takes a while
MOST_BROKEN = 200  # brackets at which no JSON begins; to find that out takes longest for thousands in a row
BRACKET = re.compile(r"[{\[]")


def rating(content: object) -> float | None:
    """Return the rating in a message's content, from -1 to 1; None without one.

    Its object may be in a code fence, between sentences, in another object, or after `<think>…</think>`, and
    have other keys. Of several one after the other, the last counts; several in one object, such as one for
    each headline, are no rating. The content may be a list of parts, as in some APIs.
    """
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        content = "".join(part for part in parts if isinstance(part, str))
    if not isinstance(content, str):
        return None
    text = content.rpartition(THOUGHT_END)[2]
    if THOUGHT.match(text):  # the answer was cut off in its thoughts
        return None
    try:
        ratings = [found for value in _values(text[-LONGEST:]) if (found := _rating_in(value)) is not None]
    except ValueError:
        return None
    return ratings[-1] if ratings else None


def _values(text: str) -> Iterator[object]:
    """Yield the JSON objects and lists in a text that are not in another one.

    Raises ValueError for a text in which too many brackets begin none.
    """
    decoder, start, broken = json.JSONDecoder(), BRACKET.search(text), 0
    while start:
        try:
            value, end = decoder.raw_decode(text, start.start())
        except (ValueError, RecursionError):
            end, broken = start.end(), broken + 1
            if broken > MOST_BROKEN:
                raise ValueError("its last value, which counts, would take too long to find") from None
        else:
            yield value
        start = BRACKET.search(text, end)


def _rating_in(value: object) -> float | None:
    """Return the one rating in a value; its own goes before those of what it holds."""
    inner: Iterable[object] = value if isinstance(value, list) else ()
    if isinstance(value, dict):
        own = [each for key, each in value.items() if key.strip().lower() == KEY]
        if own and (number := _number(own[0])) is not None:
            return number
        inner = value.values()
    try:
        found = [rated for each in inner if (rated := _rating_in(each)) is not None]
    except RecursionError:
        return None
    return found[0] if len(found) == 1 else None


def _number(value: object) -> float | None:
    if isinstance(value, str) and NUMBER.fullmatch(value.strip()):
        value = float(value)
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if numeric and -1 <= value <= 1 else None  # type: ignore[arg-type,operator]


def _message(body: Any) -> tuple[dict[str, Any], object]:
    """Return the first message and why it ends; an empty one when the answer has none."""
    try:
        choice = body["choices"][0]
        message = choice["message"]
        return (message if isinstance(message, dict) else {}), choice.get("finish_reason")
    except (KeyError, IndexError, TypeError, AttributeError):
        return {}, None


def content(body: object) -> object:
    """Return the content of an answer's first message; None without one."""
    return _message(body)[0].get("content")


def refusal(body: object) -> str:
    """Return how a model has refused to answer; an empty string when it has not."""
    message, end = _message(body)
    return "content_filter" if end == "content_filter" else "refusal" if message.get("refusal") else ""
