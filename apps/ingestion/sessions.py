"""The days on which a symbol is traded: those to ask for again, those it lacks, and the next."""

from collections.abc import Collection
from datetime import date, timedelta

import polars as pl

from apps.common.exchange import Exchange

KEY = ["symbol", "date"]

HOLES_WITHIN = timedelta(days=180)  # an older hole is a halt, or a day that the source will never have
MARKET = r"(\.[A-Z]+|=[A-Z]|-[A-Z]{3})$"  # .DE, =X or -USD: symbols of one exchange share its holidays
HABIT = timedelta(weeks=8)  # of trading on certain days of the week
FEWEST = 20  # sessions within that time that show it


def ask_since(known: pl.DataFrame, missing_days: pl.DataFrame, overlap: int) -> dict[str, date]:
    """Return the first day to ask for of each symbol: `overlap` sessions back, or before its oldest hole."""
    tail = known.group_by("symbol").agg(pl.col("date").sort().tail(overlap).first())
    oldest = missing_days.group_by("symbol").agg(pl.col("date").min().alias("hole"))
    before = known.join(oldest, on="symbol").filter(pl.col("date") < pl.col("hole"))
    reach = before.group_by("symbol").agg(pl.col("date").max())  # the day before it shows whether all holds
    return dict(pl.concat([tail, reach]).group_by("symbol").agg(pl.col("date").min()).iter_rows())


def holes(prices: pl.LazyFrame, exchange: Exchange | None = None) -> pl.DataFrame:
    """Return symbol, date of the recent sessions that a symbol lacks; sorted.

    Only days between the symbol's own first and last. Without an exchange a day is a session when half of
    the symbols that share a market have it, so that a day that all of them lack is not seen.
    """
    recent = prices.select(KEY).filter(pl.col("date") > pl.col("date").max() - HOLES_WITHIN)
    market = pl.col("symbol").str.extract(MARKET).fill_null("").alias("market")
    rows = recent.with_columns(market).collect()
    ends = pl.col("date").min().alias("first"), pl.col("date").max().alias("last")
    spans = rows.group_by("symbol", "market").agg(ends)
    sessions = _sessions(spans, exchange) if exchange and not rows.is_empty() else _usual(rows, spans)
    within = pl.col("date").is_between(pl.col("first"), pl.col("last"))
    expected = spans.join(sessions, on="market").filter(within).select(KEY)
    return expected.join(rows, on=KEY, how="anti").sort(KEY)


def _usual(rows: pl.DataFrame, spans: pl.DataFrame) -> pl.DataFrame:
    """Return market, date of the days that half of a market's symbols have."""
    days = rows.group_by("market", "date").len("have")
    within = pl.col("date").is_between(pl.col("first"), pl.col("last"))
    usual = days.join(spans, on="market").filter(within).group_by("market", "date", "have").len("could")
    return usual.filter(pl.col("have") * 2 >= pl.col("could")).select("market", "date")


def _sessions(spans: pl.DataFrame, exchange: Exchange) -> pl.DataFrame:
    """Return market, date of the exchange's sessions, for all markets alike."""
    first, last = spans.select(pl.col("first").min(), pl.col("last").max()).row(0)
    days = exchange.sessions(first, min(last, exchange.known_until))
    return spans.select("market").unique().join(pl.DataFrame({"date": days}), how="cross")


def next_days(prices: pl.DataFrame) -> dict[str, date]:
    """Return the first day after each symbol's history on which it may be traded.

    Stocks rest at the weekend, which is not Saturday and Sunday everywhere, and crypto currencies never do.
    So the days of the week count on which a symbol was traded lately; with too few sessions, all of them.
    """
    newest = pl.col("date").max()
    lately = pl.col("date").filter(pl.col("date") > newest - HABIT)
    habits = prices.group_by("symbol").agg(
        newest.alias("newest"), lately.dt.weekday().unique().alias("weekdays"), lately.len().alias("sessions")
    )
    return {
        symbol: _next(day, weekdays if sessions >= FEWEST else range(1, 8))
        for symbol, day, weekdays, sessions in habits.iter_rows()
    }


def _next(day: date, weekdays: Collection[int]) -> date:
    later = (day + timedelta(days=days) for days in range(1, 8))
    return next(each for each in later if each.isoweekday() in weekdays)
