"""Reads the halves of a batch, and the closes for the sparklines, as data frames."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from apps.api.records import Signals
from apps.common.parquet import NOTICE
from apps.common.stage import BadData
from apps.common.universe import current, read_universe

SPARKLINE_DAYS = 60  # trading days, about a quarter
SIGNALS = tuple(Signals.model_fields)
PERCENTILES = ("momentum", "value", "quality", "score")


class Reading(BaseModel):
    """What grading needs of one symbol in sentiment.json."""

    symbol: str
    sentiment: float | None = Field(ge=-1, le=1, allow_inf_nan=False)
    headlines: int = Field(ge=0)


class Readings(BaseModel):
    """What grading needs of sentiment.json."""

    symbols: list[Reading]


READINGS = TypeAdapter(Readings)


def read_scores(path: Path) -> pl.DataFrame:
    """Return symbol:str, momentum, value, quality, score:f64 (0..100 or null), as_of:date, by symbol.

    Also last_day:date, sessions_behind:i64, peers:str and signals, null where the scorer says nothing of
    them. Raises BadData when the file is not a Parquet file, lacks another column, or holds nothing usable.
    """
    scores = _parquet(path, lambda frame: frame.select(*_SCORE_COLUMNS, *_optional(frame)))
    for column in PERCENTILES:
        outside = scores.filter(~pl.col(column).is_between(0, 100) | pl.col(column).is_nan())
        if not outside.is_empty():
            raise BadData(f"{path}: {column} of {outside['symbol'][0]} is not within 0..100")
    if scores["symbol"].has_nulls() or scores["symbol"].is_duplicated().any():
        raise BadData(f"{path}: a symbol is missing or occurs twice")
    if scores["as_of"].null_count() == scores.height:
        raise BadData(f"{path}: no row has an as_of day")
    return scores


_SCORE_COLUMNS = [
    pl.col("symbol").cast(pl.String),
    *(pl.col(column).cast(pl.Float64) for column in PERCENTILES),
    pl.col("as_of").cast(pl.Date),
]


def _optional(frame: pl.DataFrame) -> list[pl.Expr]:
    """Return the columns that a scorer need not write; `signals` is null where it writes none of them."""
    days = {"last_day": pl.Date(), "sessions_behind": pl.Int64(), "peers": pl.String()}
    given = [name for name in SIGNALS if f"{name}_signal" in frame.columns]
    signals = [_if_there(frame, f"{name}_signal", pl.Float64()).alias(name) for name in SIGNALS]
    return [
        *(_if_there(frame, name, kind) for name, kind in days.items()),
        (pl.struct(signals) if given else pl.lit(None)).alias("signals"),
    ]


def _if_there(frame: pl.DataFrame, name: str, kind: pl.DataType) -> pl.Expr:
    column = pl.col(name) if name in frame.columns else pl.lit(None)
    found = column.cast(kind, strict=False).alias(name)
    return pl.when(found.is_finite()).then(found) if kind == pl.Float64() else found


def read_sentiment(path: Path) -> pl.DataFrame:
    """Return symbol:str, sentiment:f64 (-1..1 or null), headlines:i64; one row per symbol. Raises BadData."""
    try:
        readings = READINGS.validate_json(path.read_bytes()).symbols
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(map(str, fault["loc"])) or "the file"
        raise BadData(f"{path}: {where}: {fault['msg']}") from error
    frame = pl.DataFrame(
        [reading.model_dump() for reading in readings],
        schema={"symbol": pl.String, "sentiment": pl.Float64, "headlines": pl.Int64},
    )
    if frame["symbol"].is_duplicated().any():
        raise BadData(f"{path}: a symbol occurs twice")
    return frame


def read_sparklines(path: Path | None) -> pl.DataFrame:
    """Return symbol:str and sparkline:list[f64], the last closes in order of time; empty without the file."""
    if not path or not path.is_file():
        return pl.DataFrame(schema={"symbol": pl.String, "sparkline": pl.List(pl.Float64)})
    return _parquet(
        path,
        lambda frame: (
            frame.sort("symbol", "date")
            .group_by("symbol", maintain_order=True)
            .agg(sparkline=pl.col("close").cast(pl.Float64).tail(SPARKLINE_DAYS).round(4))
        ),
    )


def read_names(path: Path | None, scores: pl.DataFrame) -> pl.DataFrame:
    """Return symbol, name and sector:str as they are on the day of the scores; empty without the file."""
    if not path:
        return pl.DataFrame(schema=dict.fromkeys(("symbol", "name", "sector"), pl.String))
    day = scores.select(pl.col("as_of").max()).item()
    return current(read_universe(path), day).select("symbol", "name", "sector")


def read_notice(path: Path | None) -> str | None:
    """Return what a reader of the prices must know about them, from the file's metadata; None: nothing."""
    if not path or not path.is_file():
        return None
    try:
        return pl.read_parquet_metadata(path).get(NOTICE)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _unreadable(path, error) from error


def _parquet(path: Path, shape: Callable[[pl.DataFrame], pl.DataFrame]) -> pl.DataFrame:
    try:
        return shape(pl.read_parquet(path))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> BadData:
    return BadData(f"{path} is unreadable: {str(error).strip().partition(chr(10))[0]}")
