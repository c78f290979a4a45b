"""Which columns of a CSV file hold the days and the closes."""

import re
from pathlib import Path

import polars as pl

from apps.common.stage import BadData

MOMENTS = ("datetime", "timestamp")  # a column of days where none is called `date`
ADJUSTED = ("adjclose", "adjustedclose", "closeadj", "closeadjusted")  # goes before `close` where it is there
NO_PRICE = "null"  # Yahoo's own export writes it for a day without trading
LONGEST = 80  # characters of a file that a message shows


def named(path: Path, table: pl.DataFrame) -> tuple[str, str]:
    """Return the names of the columns of days and of closes in `table`, whose first column is `line`.

    Names may have any case and signs, such as `Adj Close**`. Raises BadData for none, or several.
    """
    columns = table.columns[1:]
    plain = {column: re.sub(r"_duplicated_\d+$|[^a-z]", "", column.lower()) for column in columns}
    listed = ", ".join(plain)[:LONGEST]
    chosen = []
    for wanted in (("date",), MOMENTS, ADJUSTED, ("close",)):
        names = [column for column, name in plain.items() if name in wanted]
        if len(names) > 1:
            raise BadData(
                f"{path}: line 1 has {len(names)} columns {wanted[0]!r} ({listed}); keep one of them"
            )
        chosen.append(names[0] if names else "")
    day, moment, adjusted, close = chosen
    for name, column in (("date", day or moment), ("close", adjusted or close)):
        if not column:
            raise BadData(f"{path}: no column {name!r} in line 1 ({listed}); add it")
    price = _priced(path, table, adjusted, close) if adjusted and close else adjusted or close
    return day or moment, price


def _priced(path: Path, table: pl.DataFrame, adjusted: str, close: str) -> str:
    """Return the column of the adjusted closes, or that of the closes when no close is adjusted."""
    if not table[adjusted].cast(pl.Float64, strict=False).has_nulls():  # as nearly always, and fast
        return adjusted
    has = {
        column: pl.col(column).str.strip_chars().str.to_lowercase().replace("", NO_PRICE).fill_null(NO_PRICE)
        != NO_PRICE
        for column in (adjusted, close)
    }
    without = table.filter(has[close] & ~has[adjusted])
    if without.is_empty():
        return adjusted
    if not table.select(has[adjusted].any()).item():
        return close
    line, price = without.select("line", close).row(0)
    raise BadData(
        f"{path}: line {line} has a {close!r} of {price[:LONGEST]} but no {adjusted!r}, unlike other lines; "
        "complete or remove that column"
    )
