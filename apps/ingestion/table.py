"""The table of prices: its columns, and what makes it valid."""

from collections.abc import Iterator

import polars as pl

from apps.common.stage import BadData
from apps.ingestion.history import valid_row

SCHEMA = pl.Schema({"symbol": pl.String, "date": pl.Date, "close": pl.Float64})

# Symbols worked on at once and rows checked at once: bounds memory to little more than the table itself.
SYMBOLS_AT_ONCE = 500
ROWS_AT_ONCE = 1_000_000


def checked(prices: pl.DataFrame, origin: str) -> pl.DataFrame:
    """Return `prices` when valid: the schema, rows, no nulls, positive finite closes, strictly sorted.

    Raises BadData that begins with `origin` (a file or a source) and names the first fault.
    """
    if prices.schema != SCHEMA:
        raise BadData(f"{origin}: columns are {dict(prices.schema)}, expected {dict(SCHEMA)}")
    if prices.is_empty():
        raise BadData(f"{origin}: no prices at all up to the day of the batch")
    for start in range(0, prices.height, ROWS_AT_ONCE):
        _check_rows(prices.slice(start, ROWS_AT_ONCE + 1), origin)  # one more: order holds across the cut
    return prices


def by_symbols(prices: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Yield the table in parts, each with the whole history of some symbols."""
    names = prices["symbol"].unique().sort()
    for start in range(0, len(names), SYMBOLS_AT_ONCE):
        some = names.slice(start, SYMBOLS_AT_ONCE)
        yield prices.filter(pl.col("symbol").is_between(pl.lit(some[0]), pl.lit(some[-1])))


def _check_rows(prices: pl.DataFrame, origin: str) -> None:
    symbol, day = pl.col("symbol"), pl.col("date")
    bad = prices.filter(~valid_row()).head(1)
    if not bad.is_empty():
        name, close = bad.select("symbol", "close").row(0)
        raise BadData(f"{origin}: symbol {name!r} has an impossible day or close (close {close})")
    rising = (symbol > symbol.shift()) | ((symbol == symbol.shift()) & (day > day.shift()))
    fallen = prices.filter(~rising.fill_null(value=True)).head(1)
    if not fallen.is_empty():
        raise BadData(f"{origin}: {fallen.row(0)[:2]} occurs twice or out of order")
