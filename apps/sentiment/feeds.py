"""What is in a feed: RSS, Atom or JSON Feed, whatever a server really sends."""

import json
import re
from calendar import timegm
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import feedparser

END = re.compile(rb"</([a-z]+:)?(rss|feed|rdf)\s*>", re.IGNORECASE)  # the last tag of a whole feed
TAIL = 2000  # bytes that must contain it; comments may follow it


class NoFeed(ValueError):
    """The answer is not a feed that can be read; the message says what it is."""


@dataclass(frozen=True)
class Item:
    """A headline, and when it was published if the feed says so."""

    title: str
    published: datetime | None


def items(content: bytes, content_type: str) -> list[Item]:
    """Return the items that have a title, in the feed's order. Raises NoFeed."""
    if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        entries: Iterable[Item] = _of_json(content)
    else:
        entries = _of_xml(content, content_type)
    return [item for item in entries if item.title]


def _of_json(content: bytes) -> Iterator[Item]:
    try:
        feed = json.loads(content)
        entries = feed["items"]
        if not isinstance(entries, list):
            raise TypeError
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise NoFeed("gave JSON that is not a whole JSON Feed") from error
    for entry in entries:
        if isinstance(entry, dict):
            title = next((entry[key] for key in ("title", "summary", "content_text") if entry.get(key)), "")
            yield Item(_line(title), _moment(entry.get("date_published") or entry.get("date_modified")))


def _of_xml(content: bytes, content_type: str) -> Iterable[Item]:
    try:
        feed = feedparser.parse(content, response_headers={"content-type": content_type})
        if not feed.get("version"):  # servers name encodings that they do not use
            feed = feedparser.parse(content)
    except Exception as error:  # a parser of whatever is on the web fails in many ways
        raise NoFeed(f"gave what cannot be read: {type(error).__name__}") from error
    if not feed.get("version"):
        raise NoFeed("gave no RSS or Atom feed")
    if feed.bozo and not END.search(content.replace(b"\0", b"")[-TAIL:]):  # UTF-16 has zeros between letters
        raise NoFeed("gave a feed that breaks off in the middle")
    return (Item(_line(entry.get("title")), _of_tuple(entry)) for entry in feed.entries)


def _line(title: object) -> str:
    return " ".join(str(title or "").split())


def _of_tuple(entry: Mapping[str, Any]) -> datetime | None:
    parsed = entry.get("published_parsed") if "published_parsed" in entry else None
    if parsed is None and "updated_parsed" in entry:
        parsed = entry.get("updated_parsed")
    try:
        return datetime.fromtimestamp(timegm(parsed), UTC) if parsed else None
    except (ValueError, OverflowError, OSError):
        return None


def _moment(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
