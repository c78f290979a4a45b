"""Reads a batch's prices into one row of raw signals for each symbol."""

from datetime import date
from pathlib import Path

import polars as pl

from apps.common.stage import BadData
from apps.scorer import signals

SCHEMA = pl.Schema({"symbol": pl.String, "date": pl.Date, "close": pl.Float64})
SYMBOLS_AT_ONCE = 500  # keeps 5,000 symbols of ten years near 300 MiB of memory
DAYS = (date(1800, 1, 1), date(2200, 1, 1))  # days outside come from a damaged file
FIX = "run the ingestion stage again for this batch"


def read_signals(path: Path) -> pl.DataFrame:
    """Return symbol, last_day and the four raw signals of each symbol of a prices.parquet.

    The file holds symbol:str, date:Date, close:f64 (adjusted), sorted by symbol and date. Raises BadData when
    it is missing, corrupt, empty, or holds closes or an order that cannot be scored.
    """
    if not path.is_file():
        raise BadData(f"{path}: missing; {FIX}, which makes this file")
    try:
        frame = pl.scan_parquet(path, glob=False)
        if frame.collect_schema() != SCHEMA:
            raise BadData(f"{path}: columns are {frame.collect_schema()}, expected {SCHEMA}; {FIX}")
        table = _read(frame)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise BadData(f"{path}: corrupt ({str(error).splitlines()[0]}); {FIX}") from error
    if table.is_empty():
        raise BadData(f"{path}: holds no prices; {FIX}")
    bad = table.filter(~pl.col("valid")).head(1)
    if not bad.is_empty():
        raise BadData(
            f"{path}: {bad['symbol'].item()!r} has bad closes, or days that are bad or out of order; {FIX}"
        )
    return table.drop("valid")


def _read(frame: pl.LazyFrame) -> pl.DataFrame:
    """Return the signals, some symbols at a time: the file's statistics let a read skip all other rows."""
    names = frame.select(pl.col("symbol").unique().sort()).collect(engine="streaming")["symbol"]
    parts = [signals_of(frame.filter(pl.col("symbol").is_null())).collect()]  # rows that `valid` will reject
    for start in range(names.null_count(), len(names), SYMBOLS_AT_ONCE):
        some = names.slice(start, SYMBOLS_AT_ONCE)
        rows = frame.filter(pl.col("symbol").is_between(pl.lit(some[0]), pl.lit(some[-1])))
        parts.append(signals_of(rows).collect())
    return pl.concat(parts)


def signals_of(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Return symbol, last_day, the four raw signals, and whether the closes are valid: a row a symbol.

    `frame` has symbol, date and close, sorted by symbol and date; nothing after its last day is known.
    """
    symbol, close, day = pl.col("symbol"), pl.col("close"), pl.col("date")
    positive = (close.is_finite() & (close > 0)).fill_null(value=False).all()
    rising = (day.diff().drop_nulls() > pl.duration(days=0)).all() & day.is_between(*DAYS).fill_null(
        value=False
    ).all()
    return frame.group_by("symbol").agg(
        day.last().alias("last_day"),
        (positive & rising & symbol.first().is_not_null()).alias("valid"),
        signals.momentum().alias("momentum"),
        signals.value().alias("value"),
        signals.downside_safety().alias("downside_safety"),
        signals.trend_stability().alias("trend_stability"),
    )
