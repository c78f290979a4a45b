"""The prices table: its columns, what makes it valid, and how new rows join those known before."""

import logging
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

import polars as pl

from apps.common.stage import BadData
from apps.ingestion.sources import Source

log = logging.getLogger("ingestion")

SCHEMA = pl.Schema({"symbol": pl.String, "date": pl.Date, "close": pl.Float64})
KEY = ["symbol", "date"]

DAYS = (date(1800, 1, 1), date(2200, 1, 1))  # days outside come of a damaged file

# Symbols worked on at once and rows checked at once: bounds memory to little more than the table itself.
SYMBOLS_AT_ONCE = 500
ROWS_AT_ONCE = 1_000_000

# Closes this close to each other (relative) are the same close: data vendors compute adjusted closes in
# single precision (about 1e-7), while a dividend, the smallest real adjustment, moves a close by more.
SAME_CLOSE = 1e-6


class Update(NamedTuple):
    """A valid prices table and how many of its rows are new or revised."""

    prices: pl.DataFrame
    new_rows: int


def checked(prices: pl.DataFrame, origin: str) -> pl.DataFrame:
    """Return `prices` when valid: the schema, rows, no nulls, positive finite closes, strictly sorted.

    Raises BadData that begins with `origin` (a file or a source) and names the first offence.
    """
    if prices.schema != SCHEMA:
        raise BadData(f"{origin}: columns are {dict(prices.schema)}, expected {dict(SCHEMA)}")
    if prices.is_empty():
        raise BadData(f"{origin}: no prices at all up to the day of the batch")
    for start in range(0, prices.height, ROWS_AT_ONCE):
        _check_rows(prices.slice(start, ROWS_AT_ONCE + 1), origin)  # one more: order holds across the cut
    return prices


def update(source: Source, earlier: pl.LazyFrame, until: date) -> Update:
    """Return `earlier` brought up to date from `source`, with nothing after the day `until`.

    The source is asked, symbol by symbol, only for the last known day and what follows. The known day shows
    whether the history still holds: adjusted closes are rescaled backwards by every dividend and split, so a
    symbol whose known close has changed, or is gone, is fetched and replaced as a whole. For an equal symbol
    and date the source wins. Symbols that the source no longer covers are dropped. Raises BadData when
    nothing valid remains.
    """
    parts, new_rows = [SCHEMA.to_frame()], 0
    for start in range(0, len(source.symbols), SYMBOLS_AT_ONCE):
        symbols = source.symbols[start : start + SYMBOLS_AT_ONCE]
        known = earlier.filter(pl.col("symbol").is_in(symbols)).collect()
        part = _merged(source, symbols, known, until)
        new_rows += _changed_rows(part, known)
        parts.append(part)
    return Update(checked(pl.concat(parts), f"source {source.name}"), new_rows)


def by_symbols(prices: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Yield the table in parts, each with the whole history of some symbols."""
    names = prices["symbol"].unique().sort()
    for start in range(0, len(names), SYMBOLS_AT_ONCE):
        some = names.slice(start, SYMBOLS_AT_ONCE)
        yield prices.filter(pl.col("symbol").is_between(pl.lit(some[0]), pl.lit(some[-1])))


def _merged(source: Source, symbols: list[str], known: pl.DataFrame, until: date) -> pl.DataFrame:
    """Return the history of the symbols from what is known and what the source has, sorted."""
    last = known.group_by("symbol").agg(pl.col("date", "close").last())
    since: dict[str, date] = dict(last.select(KEY).iter_rows())
    fresh = source.fetch(symbols, since)
    rescaled = _rescaled(fresh, last)
    if rescaled:
        log.info("%d symbols have a rescaled history, fetched whole: %s", len(rescaled), rescaled[:5])
        whole = source.fetch(rescaled, {})
        known = known.filter(~pl.col("symbol").is_in(whole["symbol"].unique().to_list()))
        fresh = pl.concat([fresh.filter(~pl.col("symbol").is_in(rescaled)), whole])
    joined = fresh.filter(pl.col("date") <= until).join(known, on=KEY, how="left", suffix="_known")
    news = joined.filter(~_same_close().fill_null(value=False)).select(SCHEMA.names())
    return pl.concat([known.join(news, on=KEY, how="anti"), news]).sort(KEY)


def _rescaled(fresh: pl.DataFrame, last: pl.DataFrame) -> list[str]:
    """Return the symbols with fresh rows of which none repeats the last known close (symbol, date, close)."""
    repeated = fresh.join(last, on=KEY, suffix="_known").filter(_same_close())
    return sorted(set(fresh["symbol"].unique()) & set(last["symbol"]) - set(repeated["symbol"]))


def _changed_rows(prices: pl.DataFrame, known: pl.DataFrame) -> int:
    joined = prices.join(known, on=KEY, how="left", suffix="_known")
    return joined.filter(pl.col("close").ne_missing(pl.col("close_known"))).height


def _same_close() -> pl.Expr:
    return (pl.col("close") / pl.col("close_known") - 1).abs() <= SAME_CLOSE


def _check_rows(prices: pl.DataFrame, origin: str) -> None:
    symbol, day, close = pl.col("symbol"), pl.col("date"), pl.col("close")
    valid = close.is_finite() & (close > 0) & symbol.is_not_null() & day.is_between(*DAYS)
    bad = prices.filter(~valid.fill_null(value=False)).head(1)
    if not bad.is_empty():
        name, close = bad.select("symbol", "close").row(0)
        raise BadData(f"{origin}: symbol {name!r} has a senseless day or close (close {close})")
    rising = (symbol > symbol.shift()) | ((symbol == symbol.shift()) & (day > day.shift()))
    fallen = prices.filter(~rising.fill_null(value=True)).head(1)
    if not fallen.is_empty():
        raise BadData(f"{origin}: {fallen.row(0)[:2]} comes twice or out of order")
