"""The market's day in words: which session a batch's prices are of, and whether a newer one has closed.

The ingestion stage has the calendar of the market's exchange, and reports in the `details` of its result:

    session          the last session that had closed at the batch's moment; null without a calendar
    sessions_behind  how many sessions the prices lack, up to that one
    next_close       when the next session closes, in UTC
    later_closes     when those after it close, separated by spaces
    replayed         whether they are the sample's, of another time than their dates

Airflow's image has no calendar. All that is said of sessions is concluded here, from these figures and the
time: after `next_close` there is something newer than what the batch holds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Self

from rankalpha.pipeline.batch import FIGURES_KEY, BatchError, parse_key
from rankalpha.texts import count

FIGURES = ("session", "sessions_behind", "next_close")  # of the details of prices
REPLAYED = "replayed"  # there too


@dataclass(frozen=True)
class MarketDay:
    """What a batch's prices are of: `as_of` is their newest day, the other fields are as reported."""

    as_of: date
    session: date | None = None
    behind: int = 0
    next_close: datetime | None = None
    later_closes: tuple[datetime, ...] = ()
    replayed: bool = False

    @classmethod
    def of(cls, result: Mapping[str, Any]) -> Self | None:
        """Return that of a result of prices or its event's extra; None when it does not name its day.

        An image of one's own, or a person who posts an event, may have written anything: what cannot be read
        counts as not reported.
        """
        as_of = _day(result.get("as_of"))
        details = result.get("details")
        details = details if isinstance(details, Mapping) else {}
        session, behind, close = map(details.get, FIGURES)
        if as_of is None:
            return None
        lacking = behind if type(behind) is int and behind > 0 else 0
        later = tuple(filter(None, map(_moment, str(details.get("later_closes") or "").split())))
        replayed = details.get(REPLAYED) is True
        return cls(as_of, _day(session), lacking, _moment(close), later, replayed)

    def behind_at(self, now: datetime) -> int:
        """Return how many sessions the prices lack at least; the closes of ten are known ahead."""
        return self.behind + sum(close <= now for close in self._closes)

    def close_after(self, moment: datetime, sessions: int) -> datetime | None:
        """Return when so many sessions have closed after a moment, which is not before its batch.

        None when the closes are not known that far.
        """
        coming = [close for close in self._closes if close > moment]
        return coming[sessions - 1] if len(coming) >= sessions else None

    @property
    def _closes(self) -> tuple[datetime, ...]:
        return (self.next_close, *self.later_closes) if self.next_close else ()

    def stale_at(self, published: datetime, fresh_for: timedelta) -> datetime:
        """Return when data of it that were published then are stale.

        Data of the newest session stay fresh until the next one has been closed for so long: over a weekend
        or a holiday nothing newer can be there. Without a calendar, and where a session is missing already,
        the age since they were published counts.
        """
        known = self.session is not None and not self.behind and self.next_close
        return max(published, self.next_close if known and self.next_close else published) + fresh_for

    def named(self, now: datetime) -> str:
        """Return the day in words, such as `Friday's close, 27 Nov`; another year than now's is named.

        Of the sample it says so, wherever it is shown: its prices are of another time.
        """
        day, year = self.as_of, "" if self.as_of.year == now.year else f" {self.as_of.year}"
        return f"{day:%A}'s close, {day.day} {day:%b}{year}{' of the sample' if self.replayed else ''}"

    def at_ingestion(self, now: datetime) -> str:
        """Return the day in words, and how many sessions were missing when the batch was made."""
        return self.named(now) + (f", {count(self.behind, 'session')} behind" if self.behind else "")

    def standing(self, now: datetime) -> str:
        """Return the day in words, and whether it is the newest there can be."""
        if self.session is None:
            return self.named(now)
        missing = self.behind_at(now)
        if not missing:
            return f"{self.named(now)}, current"
        least = "at least " if missing > self.behind else ""
        return f"{self.named(now)}, {least}{count(missing, 'session')} behind"

    def text(self, now: datetime) -> str:
        """Return its standing, and which session closed since."""
        close = self.next_close
        if self.session is None or close is None or close > now:
            return self.standing(now)
        since = f"a newer one closed on {close:%a} {close.day} {close:%b} at {close:%H:%M} UTC"
        return f"{self.standing(now)}: {since}"

    def described(self, now: datetime) -> dict[str, Any]:
        """Return it JSON-ready; `text` is of the time of the batch."""
        return {
            "as_of": self.as_of.isoformat(),
            "newest": self.session.isoformat() if self.session else None,
            "behind": self.behind,
            "next_close": self.next_close.isoformat() if self.next_close else None,
            "text": self.at_ingestion(now),
        }


def carried_over(batch: object, day: MarketDay | None, what: str = "grades") -> str:
    """Return in words that what was made for an earlier batch holds for a later one of that market's day.

    An empty text without an earlier batch.
    """
    try:
        moment = parse_key(batch) if isinstance(batch, str) else None
    except BatchError:
        moment = None
    if moment is None:
        return ""
    news = "no new session" if day and day.session and not day.behind else "nothing new"
    return f"{news}; {what} of {moment:%a} {moment.day} {moment:%b} {moment:%H:%M} carried over"


def figures(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is kept of the sessions of a published batch, see `market_day`."""
    details = result.get("details")
    known = details if isinstance(details, Mapping) else {}
    return {key: known[key] for key in (*FIGURES, REPLAYED) if key in known}


def market_day(prices: str, batch: str) -> MarketDay | None:
    """Return the market's day of a batch, for a task; None when it is not known, or not any more.

    `prices` is the dataset of the batch's market, whose state store has the figures of its newest batches.
    """
    from airflow.sdk.execution_time.context import AssetStateStoreAccessor  # noqa: PLC0415  heavy

    stored: Any = AssetStateStoreAccessor(name=prices).get(FIGURES_KEY, {}) or {}
    kept = stored.get(batch) or {}
    return MarketDay.of({**kept, "details": kept})


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _moment(value: object) -> datetime | None:
    """Return a moment in UTC; None for what is none, and for one without a time zone."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment and moment.tzinfo else None
