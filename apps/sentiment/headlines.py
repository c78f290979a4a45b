"""Where headlines come from: the committed sample, or an RSS feed for each symbol."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

import feedparser
import httpx

from apps.common.stage import BadConfig, StageError
from apps.sentiment.fetch import TIMEOUT_SECONDS, send
from apps.sentiment.reports import HEADLINES, read_json
from apps.sentiment.settings import Settings

SAMPLE = Path(__file__).parent / "sample" / "headlines.json"
NEWEST = 20  # headlines of a feed that count: older ones are yesterday's news


class HeadlineSource(Protocol):
    """Gives a symbol's headlines, newest first; an empty list when there are none."""

    def headlines(self, symbol: str) -> list[str]:
        """Return the distinct titles."""


@dataclass(frozen=True)
class Sample:
    """The committed sample: invented headlines, so that a fresh machine can show the whole pipeline."""

    path: Path = SAMPLE

    def headlines(self, symbol: str) -> list[str]:
        """Return the sample's headlines. Raises BadData when the file is damaged."""
        sample = read_json(self.path, HEADLINES, "restore the committed file")["headlines"]
        return sample.get(symbol, []) if isinstance(sample, dict) else []


@dataclass(frozen=True)
class Rss:
    """An RSS or Atom feed for each symbol."""

    template: str  # address with {symbol}
    client: httpx.Client

    def headlines(self, symbol: str) -> list[str]:
        """Return the newest distinct titles; a feed that does not exist (HTTP 404) has none.

        Raises StageError when the service is unavailable or answers with something that is no feed, and
        BadConfig when it refuses the address.
        """
        response = send(self.client, self.client.build_request("GET", self._url(symbol)))
        if response.status_code == httpx.codes.NOT_FOUND:
            return []
        if not response.is_success:
            raise BadConfig(
                f"SENTIMENT_RSS_URL={self.template!r} answered HTTP {response.status_code} for {symbol}"
            )
        feed = feedparser.parse(response.content)
        if not feed.version:
            raise StageError(f"SENTIMENT_RSS_URL={self.template!r}: no RSS or Atom feed for {symbol}")
        titles = (str(entry.get("title", "")).strip() for entry in feed.entries)
        return list(dict.fromkeys(title for title in titles if title))[:NEWEST]

    def _url(self, symbol: str) -> str:
        return self.template.replace("{symbol}", quote(symbol, safe=""))


def headline_source(settings: Settings) -> HeadlineSource:
    """Return the source that SENTIMENT_HEADLINES names."""
    if settings.headlines == "rss":
        return Rss(settings.rss_url, httpx.Client(timeout=TIMEOUT_SECONDS))
    return Sample()
