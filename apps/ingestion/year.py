"""A year of markets, for `rankalpha calendar`: ``python apps/ingestion/year.py`` with PYTHONPATH set.

It reads from stdin what the command knows, because markets are Airflow's and exchanges are the services':
[{"market": …, "calendar": …, "when": …, "year": …, "check": …, "batches": […]}, …]; the first of the
batches is the last one before the year.
Exit status: 0, or 1 when `check` is on and a batch is due while the exchange is open; 78 for a bad calendar.
"""

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any

from apps.common.exchange import Exchange, exchange
from apps.common.stage import BATCH_FORMAT, BadConfig

HEADINGS = ("month", "sessions", "holidays", "half days, close", "batches with nothing new")


@dataclass(frozen=True)
class Year:
    """A year of an exchange, and the batches of a market in it."""

    exchange: Exchange
    year: int
    batches: list[datetime]  # the first one is the last of the year before

    @property
    def quiet(self) -> list[datetime]:
        """The batches that have the same last session as the one before."""
        closed = [(batch, self.exchange.last_closed(batch)) for batch in self.batches]
        return [batch for (_, before), (batch, session) in pairwise(closed) if before == session]

    @property
    def early(self) -> list[datetime]:
        """The batches that are due while the exchange is open."""
        return [batch for batch in self.batches[1:] if self.exchange.is_open(batch)]

    def rows(self) -> Iterator[tuple[str, ...]]:
        """Yield a row for each month: days, by their number."""
        span = date(self.year, 1, 1), date(self.year, 12, 31)
        sessions = Counter(day.month for day in self.exchange.sessions(*span))
        holidays = _by_month(self.exchange.holidays(*span))
        closes = self.exchange.half_days(*span)
        half = _by_month(closes)
        quiet = _by_month(batch.date() for batch in self.quiet)
        for month in range(1, 13):
            yield (
                f"{self.year}-{month:02}",
                str(sessions[month]),
                _days(holidays[month]),
                ", ".join(f"{day.day} {closes[day]:%H:%M} UTC" for day in half[month]),
                _days(quiet[month]),
            )


def _by_month(days: Iterable[date]) -> defaultdict[int, list[date]]:
    months = defaultdict(list)
    for day in sorted(set(days)):
        months[day.month].append(day)
    return months


def _days(days: list[date]) -> str:
    return " ".join(str(day.day) for day in days)


def show(market: str, when: str, year: Year) -> None:
    """Print the year as a table."""
    rows = [HEADINGS, *year.rows()]
    sessions = sum(int(row[1]) for row in rows[1:])
    print(f"Market {market}: {year.exchange.code}, {when}, {year.year}")
    print(f"{sessions} sessions; {len(year.batches) - 1} batches, {len(year.quiet)} of them with nothing new")
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def check(market: str, year: Year) -> int:
    """Print whether a batch is due while the exchange is open; return the exit status."""
    if year.exchange.is_continuous:  # no schedule could do better
        print(f"Market {market}: ok, {year.exchange.code} never rests; a batch has its last whole session")
        return 0
    open_, early = f"while {year.exchange.code} is open", year.early
    if not early:
        print(f"Market {market}: ok, no batch of {year.year} is due {open_}")
        return 0
    first, close = early[0], year.exchange.next_close(early[0])
    print(
        f"Market {market}: {len(early)} of {len(year.batches) - 1} batches of {year.year} are due {open_} "
        f"and have no prices of that day. The first is due at {first:%Y-%m-%d %H:%M} UTC, and the close is "
        f"at {close:%H:%M}. Change the schedule in markets.toml to after the close."
    )
    return 1


def answered(asked: dict[str, Any]) -> int:
    """Print what is asked of a market; return the exit status. Raises BadConfig."""
    known = exchange(asked["calendar"])
    if known is None:
        raise BadConfig(f"market {asked['market']} has no calendar; name its exchange, such as XNYS")
    moments = [datetime.strptime(key, BATCH_FORMAT).replace(tzinfo=UTC) for key in asked["batches"]]
    year = Year(known, asked["year"], moments)
    if asked["check"]:
        return check(asked["market"], year)
    show(asked["market"], asked["when"], year)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(max(map(answered, json.load(sys.stdin))))
    except BadConfig as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_status)
