"""universe.csv: the name and the sector of each symbol, and from when to when it belongs to the universe.

    symbol,name,sector,from,to
    XOM,Exxon Mobil,Energy,1999-12-01,
    META,Facebook,Technology,2012-05-18,2022-06-08
    META,Meta Platforms,Technology,2022-06-09,

Both days belong to the time; an empty one means that it has no beginning or no end. A symbol may have several
lines whose times do not overlap. It comes with the prices, so that a batch always has the one of its day.
"""

from datetime import date
from pathlib import Path

import polars as pl

from apps.common.stage import BadData

UNIVERSE = "universe.csv"
COLUMNS = ("symbol", "name", "sector", "from", "to")
REQUIRED = COLUMNS[:3]
FIRST, LAST = date(1, 1, 1), date(9999, 12, 31)


def read_universe(path: Path) -> pl.DataFrame:
    """Return line, symbol, name, sector, from and to of each line, by symbol and time.

    Raises BadData that names the file, the line, what is wrong and the fix.
    """
    try:
        table = pl.read_csv(path.read_bytes(), infer_schema=False, truncate_ragged_lines=False)
        table = table.rename(lambda name: name.strip().lower())
    except (pl.exceptions.PolarsError, OSError, UnicodeError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise BadData(f"{path}: not readable ({reason}); save it as CSV with columns {_named()}") from error
    if lacking := [name for name in REQUIRED if name not in table.columns]:
        raise BadData(f"{path}: line 1 has no column {lacking[0]}; expected the columns {_named()}")
    cells = [
        _text(name) if name in table.columns else pl.lit(None, pl.String).alias(name) for name in COLUMNS
    ]
    table = table.with_row_index("line", offset=2).select("line", *cells)
    table = table.filter(pl.any_horizontal(pl.col(COLUMNS).is_not_null()))
    return _checked(path, table)


def current(universe: pl.DataFrame, day: date) -> pl.DataFrame:
    """Return the lines that hold on a day, one a symbol."""
    return universe.filter(pl.col("from") <= day, pl.col("to") >= day)


def outside(universe: pl.DataFrame, day: date) -> pl.Series:
    """Return the symbols that are listed, but do not belong to the universe on a day."""
    return universe.join(current(universe, day), on="symbol", how="anti")["symbol"].unique().sort()


def _named() -> str:
    return ",".join(COLUMNS)


def _text(name: str) -> pl.Expr:
    cell = pl.col(name).str.strip_chars()
    return pl.when(cell != "").then(cell).alias(name)


def _checked(path: Path, table: pl.DataFrame) -> pl.DataFrame:
    """Return the table with days, sorted; raise BadData for the first line that cannot be used."""
    for name in ("symbol", "name"):
        _refuse(path, table.filter(pl.col(name).is_null()), f"column {name} is empty; write one")
    days = [
        pl.col(name).str.to_date("%Y-%m-%d", strict=False).alias(f"{name}_day") for name in ("from", "to")
    ]
    dated = table.with_columns(pl.col("symbol").str.to_uppercase(), *days)
    for name in ("from", "to"):
        bad = dated.filter(pl.col(name).is_not_null() & pl.col(f"{name}_day").is_null())
        _refuse(path, bad, f"column {name} is not a day; write one like 2026-11-22, or nothing")
    found = dated.select(
        "line",
        *REQUIRED,
        pl.col("from_day").fill_null(FIRST).alias("from"),
        pl.col("to_day").fill_null(LAST).alias("to"),
    ).sort("symbol", "from")
    _refuse(path, found.filter(pl.col("to") < pl.col("from")), "column to is before from; exchange them")
    before = pl.col("to").shift(1).over("symbol")
    overlapping = found.filter(pl.col("from") <= before)
    _refuse(path, overlapping, "its dates overlap those of another line of this symbol; end that one before")
    return found


def _refuse(path: Path, rows: pl.DataFrame, fix: str) -> None:
    if not rows.is_empty():
        line, symbol = rows.sort("line").select("line", "symbol").row(0)
        raise BadData(f"{path}: line {line}, symbol {symbol or '(none)'}: {fix}")
