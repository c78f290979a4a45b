"""Reads the closes of a version of prices, all of them at once, and which symbols belong to its universe."""

from pathlib import Path

import polars as pl

from apps.common.stage import BadData
from apps.common.versions import Version
from apps.scorer.prices import SCHEMA
from apps.scorer.settings import Settings as ScorerSettings
from apps.scorer.universe import listed


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


def universe_of(prices: Version, closes: pl.DataFrame, scorer: ScorerSettings) -> pl.DataFrame | None:
    """Return what universe.csv lists of the symbols of `closes`; None without one."""
    known, kind = listed(prices, scorer.sector_neutral), closes.schema["symbol"]
    if known is None:
        return None
    return known.with_columns(pl.col("symbol").cast(kind, strict=False)).drop_nulls("symbol")


def _invalid() -> pl.Expr:
    """Whether a row has no usable close, or does not follow the one before it."""
    symbol, day, close = pl.col("symbol"), pl.col("date"), pl.col("close")
    good = symbol.is_not_null() & day.is_not_null() & close.is_finite() & (close > 0)
    early = (symbol == symbol.shift()) & (day <= day.shift())
    return ~good.fill_null(value=False) | early.fill_null(value=False)
