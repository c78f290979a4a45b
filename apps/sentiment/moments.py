"""When a headline was published: dates as feeds write them."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_tz
from typing import Any

SECONDS = re.compile(r"\d{9,10}(\.\d+)?")  # since 1970
MILLISECONDS = re.compile(r"\d{12,13}")


def moment(value: object) -> datetime | None:
    """Return a date of ISO 8601, RFC 822 or since 1970, in UTC where it names no zone; None for another."""
    text = str(value).strip()
    with suppress(ValueError, OverflowError, OSError):
        if numeric := _since_1970(text):
            return numeric
    with suppress(ValueError):
        iso = datetime.fromisoformat(text)
        return iso if iso.tzinfo else iso.replace(tzinfo=UTC)
    with suppress(ValueError, OverflowError):
        if parsed := parsedate_tz(text):
            return _of(parsed) - timedelta(seconds=parsed[9] or 0)
    return None


def moment_of(entry: Mapping[str, Any]) -> datetime | None:
    """Return when an entry of feedparser was published, or else updated.

    feedparser takes seconds since 1970 for years, and no date of RFC 822 without a zone.
    """
    for name in ("published", "updated"):
        if name not in entry:  # feedparser would give the other one
            continue
        parsed = entry.get(f"{name}_parsed")
        text = str(entry.get(name))
        if parsed and not _since_1970(text.strip()):
            with suppress(ValueError):
                return _of(parsed)
        if found := moment(text):
            return found
    return None


def _of(fields: Sequence[Any]) -> datetime:
    year, month, day, hour, minute, second = fields[:6]
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


def _since_1970(text: str) -> datetime | None:
    if SECONDS.fullmatch(text):
        return datetime.fromtimestamp(float(text), UTC)
    if MILLISECONDS.fullmatch(text):
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    return None
