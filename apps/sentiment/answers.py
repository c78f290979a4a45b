"""The rating in a chat model's answer: the JSON object, whatever is around it."""

import json
import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

THOUGHT_END = "</think>"  # a reasoning model's thoughts come before its answer
THOUGHT = re.compile(r"^\s*<think>")


class Rating(BaseModel):
    """The object that holds a rating."""

    model_config = ConfigDict(strict=True, extra="forbid")
    sentiment: float = Field(ge=-1, le=1, allow_inf_nan=False)


def rating(content: object) -> float | None:
    """Return the rating in a message's content; None without one.

    The object may be in a code fence, between sentences, in another object, or after `<think>…</think>`.
    Of several, the last counts. The content may be a list of parts, as in some APIs.
    """
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        content = "".join(part for part in parts if isinstance(part, str))
    if not isinstance(content, str):
        return None
    text = content.rpartition(THOUGHT_END)[2]
    if THOUGHT.match(text):  # the answer was cut off in its thoughts
        return None
    ratings = [each.sentiment for value in _objects(text) for each in _ratings(value)]
    return ratings[-1] if ratings else None


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects in a text that are not in another one."""
    decoder, start = json.JSONDecoder(), text.find("{")
    while start >= 0:
        try:
            value, end = decoder.raw_decode(text, start)
            yield value
        except (ValueError, RecursionError):
            end = start + 1
        start = text.find("{", end)


def _ratings(value: object) -> Iterator[Rating]:
    try:
        yield Rating.model_validate(value)
    except ValidationError:
        for inner in value.values() if isinstance(value, dict) else ():
            yield from _ratings(inner) if isinstance(inner, dict) else ()
