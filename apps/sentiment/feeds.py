"""What is in a feed: RSS, Atom or JSON Feed, whatever a server really sends."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import feedparser

from apps.sentiment.moments import moment, moment_of

END = re.compile(rb"</([a-z]+:)?(rss|feed|rdf)\s*>", re.IGNORECASE)  # the last tag of a whole feed
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
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
    start = content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    is_json = start in (b"{", b"[") or ("json" in content_type.lower() and start != b"<")
    entries = _of_json(content) if is_json else _of_xml(content, content_type)
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
            titles = (_line(entry.get(key)) for key in ("title", "summary", "content_text"))
            when = entry.get("date_published") or entry.get("date_modified")
            yield Item(next(filter(None, titles), ""), moment(when))


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
    return (Item(_line(entry.get("title")), moment_of(entry)) for entry in feed.entries)


def _line(title: object) -> str:
    """Return a title as one line of text that can be stored and sent."""
    if not isinstance(title, str):
        return ""
    readable = title.encode(errors="replace").decode()  # JSON can hold half a character
    return " ".join(CONTROL.sub(" ", readable).split())
