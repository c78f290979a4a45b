"""Reads the closes of a prices.parquet, all of them at once."""

from pathlib import Path

import polars as pl

from apps.common.stage import BadData
from apps.scorer.prices import SCHEMA


def read_prices(path: Path) -> pl.DataFrame:
    """Return symbol, date and close by symbol and date. Raises BadData."""
    fix = "run the ingestion stage again for this batch"
    if not path.is_file():
        raise BadData(f"{path}: missing; {fix}, which makes this file")
    try:
        frame = pl.read_parquet(path, glob=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise BadData(f"{path}: corrupt ({str(error).splitlines()[0]}); {fix}") from error
    if frame.schema != SCHEMA or frame.is_empty():
        raise BadData(f"{path}: columns are {frame.schema} and {frame.height} rows, expected {SCHEMA}; {fix}")
    bad = frame.filter(_invalid()).head(1)
    if not bad.is_empty():
        raise BadData(
            f"{path}: {bad['symbol'].item()!r} has bad closes, or days that are out of order; {fix}"
        )
    return frame


def _invalid() -> pl.Expr:
    """Whether a row has no usable close, or does not follow the one before it."""
    symbol, day, close = pl.col("symbol"), pl.col("date"), pl.col("close")
    good = symbol.is_not_null() & day.is_not_null() & close.is_finite() & (close > 0)
    early = (symbol == symbol.shift()) & (day <= day.shift())
    return ~good.fill_null(value=False) | early.fill_null(value=False)
