"""Where headlines come from: the sample, a feed for each symbol, or nowhere; and which of them count."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from apps.common.addresses import shown
from apps.common.stage import BadConfig, Batch, StageError
from apps.common.transient import Unavailable
from apps.sentiment.feeds import Item, NoFeed, items
from apps.sentiment.fetch import Answer, Service
from apps.sentiment.reports import HEADLINES, read_json
from apps.sentiment.settings import Settings
from apps.sentiment.unrated import Absent, Unrated

SAMPLE = Path(__file__).parent / "sample" / "headlines.json"
NEWEST = 20  # headlines of a feed that count at most
NO_CONTENT = 204
GONE = (404, 410)  # the feed of this symbol is not there
KEY_REFUSED = (401, 403, 407)


class HeadlineSource(Protocol):
    """Gives a symbol's headlines, newest first; an empty list when there are none."""

    @property
    def name(self) -> str:
        """Name of the source; headlines of another source are not used again."""

    def headlines(self, symbol: str) -> list[str]:
        """Return the distinct titles. Raises Unrated when they cannot be read."""


@dataclass(frozen=True)
class Sample:
    """The committed sample: invented headlines, so that a fresh machine can show the whole pipeline."""

    path: Path = SAMPLE
    name = ""  # it is always there, so that nothing of it is kept

    def headlines(self, symbol: str) -> list[str]:
        """Return the sample's headlines. Raises Unrated, or BadData for a damaged file."""
        sample = read_json(self.path, HEADLINES, "restore the committed file")["headlines"]
        if isinstance(sample, dict) and symbol in sample:
            return sample[symbol]
        remedy = "set SENTIMENT_HEADLINES to rss, or to none to rank by prices alone"
        raise Unrated("feed_missing", f"{symbol} has no headlines: the sample has none about it; {remedy}")


class NoHeadlines:
    """For prices without news: nothing is asked for, and each symbol counts as neutral."""

    name = ""

    def headlines(self, symbol: str) -> list[str]:  # noqa: ARG002
        """Return an empty list."""
        return []


@dataclass(frozen=True)
class Feeds:
    """A feed for each symbol: RSS, Atom or JSON Feed."""

    template: str  # address with {symbol}
    service: Service
    moment: datetime  # of the batch: what was published later is not known yet
    max_age: timedelta

    @property
    def name(self) -> str:
        """The template, without what may be secret."""
        return shown(self.template)

    def headlines(self, symbol: str) -> list[str]:
        """Return the newest distinct titles that count; raises Unrated and BadConfig."""
        url = self.template.replace("{symbol}", quote(symbol, safe=""))
        about = f"{symbol} has no headlines: SENTIMENT_RSS_URL {shown(url)}"
        try:
            answer = self.service.send("GET", url, "SENTIMENT_RSS_URL")
        except Unavailable as error:
            raise Absent(
                "feed_unavailable", f"{about}: {error}; wait, or check the address", Unavailable
            ) from error
        except BadConfig as error:  # the symbol is in the address, and redirects differ
            raise Unrated("feed_refused", f"{symbol} has no headlines: {error}", BadConfig) from error
        _refuse(answer, about)
        try:
            entries = items(answer.content, answer.content_type)
        except NoFeed as error:
            raise Unrated("feed_unreadable", f"{about} {error}; open the address", StageError) from error
        return counting(entries, self.moment, self.max_age)


def _refuse(answer: Answer, about: str) -> None:
    status = f"answered HTTP {answer.status}"
    if answer.status in GONE:
        raise Unrated("feed_missing", f"{about} {status}; check the symbol")
    if not answer.good:
        what = "the key in it" if answer.status in KEY_REFUSED else "the address"
        raise Unrated("feed_refused", f"{about} {status}; check {what}", BadConfig)
    if answer.status == NO_CONTENT or not answer.content.strip():
        raise Unrated("feed_empty", f"{about} {status} with nothing in it; check the symbol")


def counting(entries: Sequence[Item], moment: datetime, max_age: timedelta) -> list[str]:
    """Return the distinct titles that count at a moment, newest first, at most NEWEST.

    Titles with a later date, or older than `max_age`, are left out; titles without a date come last, in
    order.
    """
    dated = [(item.published, item.title) for item in entries if item.published]
    undated = [item.title for item in entries if not item.published]
    current = [(published, title) for published, title in dated if moment - max_age <= published <= moment]
    newest = sorted(current, key=lambda item: item[0], reverse=True)
    return list(dict.fromkeys([*(title for _, title in newest), *undated]))[:NEWEST]


def headline_source(settings: Settings, batch: Batch) -> HeadlineSource:
    """Return the source that SENTIMENT_HEADLINES names."""
    if settings.headlines == "none":
        return NoHeadlines()
    if settings.headlines == "sample":
        return Sample()
    moment = datetime.fromisoformat(batch.key).replace(tzinfo=UTC)
    max_age = timedelta(days=settings.headlines_max_age_days)
    return Feeds(settings.rss_url, Service(settings.patience), moment, max_age)
