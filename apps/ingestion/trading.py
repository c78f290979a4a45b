"""Which days' prices a batch may have, and how far behind its exchange they are."""

import logging
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Self

import polars as pl

from apps.common.exchange import Exchange, UnknownDay, exchange
from apps.common.stage import Batch

LOOK_BACK = 5 * 252 + 1  # sessions: the longest window of the scores and of the screens

CLOSES = 10  # that are reported ahead, so that a limit in sessions is known while no batch comes

FIGURES = (
    "session",
    "sessions_behind",
    "symbols_behind",
    "symbols_lagging",
    "missing_sessions",
    "next_close",
    "later_closes",
)

log = logging.getLogger("ingestion")


@dataclass(frozen=True)
class Trading:
    """The days of a batch: with an exchange, those of sessions that had closed at the batch's moment."""

    until: date  # the newest day that a batch may have
    exchange: Exchange | None = None
    closes: tuple[datetime, ...] = ()  # of the sessions after that, in UTC
    calendar_days: int | None = None  # for which the exchange is known after that; 0: not known any more

    @classmethod
    def of(cls, batch: Batch) -> Self:
        """Return the days of a batch. Raises BadConfig for a calendar that does not exist."""
        known = exchange(batch.calendar)
        if known is None:
            return cls(batch.day)
        try:
            session, closes = known.last_closed(batch.moment), known.next_closes(batch.moment, CLOSES)
            return cls(session, known, tuple(closes), (known.known_until - session).days)
        except UnknownDay as error:
            log.warning("warning: days are counted instead of sessions: %s", error)
            return cls(batch.day, calendar_days=0)

    @property
    def session(self) -> date | None:
        """The newest session that had closed; None without an exchange."""
        return self.until if self.exchange else None

    def figures(self, prices: pl.DataFrame) -> dict[str, str | int | None]:
        """Return what the result says of a table of prices; nothing is known without an exchange.

        `sessions_behind`: sessions after the prices' last day. `symbols_behind`: symbols that lack the last
        session. `symbols_lagging`: those that lack the prices' last day. `missing_sessions`: of all symbols,
        those within the look-back that lie between their days.
        `next_close`: after it there is a newer session; `later_closes` are those of the sessions after that,
        separated by spaces. `calendar_days`: for which the exchange is known.
        """
        if self.exchange is None:
            return {**dict.fromkeys(FIGURES), "calendar_days": self.calendar_days}
        days = pl.col("date")
        spans = prices.group_by("symbol").agg(days.min().alias("first"), days.max().alias("last"))
        sessions = self._look_back(self.exchange)
        have = prices.filter(days.is_in(sessions.implode())).height
        first = sessions.search_sorted(spans["first"], "left")
        last = sessions.search_sorted(spans["last"], "right")
        newest = spans.select(pl.col("last").max()).item()
        closes = [close.isoformat() for close in self.closes]
        return {
            "session": self.until.isoformat(),
            "sessions_behind": self.exchange.missing(newest, self.until),
            "symbols_behind": spans.filter(pl.col("last") < self.until).height,
            "symbols_lagging": spans.filter(pl.col("last") < newest).height,
            "missing_sessions": int((last - first).sum()) - have,
            "next_close": closes[0] if closes else None,
            "later_closes": " ".join(closes[1:]) or None,
            "calendar_days": self.calendar_days,
        }

    def _look_back(self, known: Exchange) -> pl.Series:
        """Return the sessions that scores may look at, oldest first."""
        start = self.until - timedelta(days=LOOK_BACK * 7 // 4)  # five sessions a week, less holidays
        return pl.Series(known.sessions(start, self.until)[-LOOK_BACK:], dtype=pl.Date)
