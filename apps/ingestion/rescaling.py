"""Histories that have another scale than what is known: replaced, or refused because days would be lost."""

import math
from collections.abc import Collection, Mapping
from datetime import date
from typing import NamedTuple

import polars as pl

from apps.ingestion.sessions import KEY
from apps.ingestion.sources import Fetched, Missing, Reason, Source

# Closes this close to each other (relative) are the same close: data vendors compute adjusted closes in
# single precision (about 1e-7), while a dividend, the smallest real adjustment, moves a close by more.
SAME_CLOSE = 1e-6


class Rescaled(NamedTuple):
    """A history that was replaced; `factor` is what its old closes were multiplied by, if that is known."""

    symbol: str
    factor: float | None
    actions: list[dict[str, object]]  # date, kind, value: what the source says has happened since


class Rescaling(NamedTuple):
    """Which symbols keep what is known, and why, and which histories are replaced."""

    refused: dict[str, Missing]
    accepted: list[Rescaled]


def rescaling(
    source: Source,
    whole: Fetched,
    known: pl.DataFrame,
    since: Mapping[str, date],
    replace: Collection[str],
) -> Rescaling:
    """Return which histories have another scale than what is known, and are to replace it or are refused.

    A history is refused when it lacks days that are known, up to the last of them, unless `replace` names it.
    """
    refused, accepted = {}, []
    counts = known.group_by("symbol").agg(pl.len().alias("days"), pl.col("date").max().alias("last"))
    came = whole.prices.join(counts, on="symbol").filter(pl.col("date") <= pl.col("last"))
    having = dict(came.group_by("symbol").len().iter_rows())
    common = compared_with(whole.prices, known)
    oldest = (
        common.sort(pl.col("close_known").is_null(), *KEY).group_by("symbol", maintain_order=True).first()
    )
    scales = oldest.join(counts, on="symbol").sort("symbol")
    for symbol, close, close_known, days in scales.select(
        "symbol", "close", "close_known", "days"
    ).iter_rows():
        factor = close / close_known if close_known else math.nan
        if symbol not in replace and abs(factor - 1) <= SAME_CLOSE:
            continue  # it was a correction, which joins what is known
        if symbol not in replace and having.get(symbol, 0) < days:
            refused[symbol] = _refused(source, symbol, having.get(symbol, 0), days)
            continue
        mine = whole.actions.filter(pl.col("symbol") == symbol, pl.col("date") >= since.get(symbol, date.min))
        listed = mine.sort("date").select(pl.col("date").cast(pl.String), "kind", "value").to_dicts()
        accepted.append(Rescaled(symbol, factor if close_known else None, listed))
    return Rescaling(refused, accepted)


def _refused(source: Source, symbol: str, came: int, days: int) -> Missing:
    text = (
        f"source {source.name}: {symbol} has another scale now, but {came} days instead of the {days} known"
    )
    fix = f"what is known is kept; complete the source, or accept it with INGESTION_REPLACE={symbol}"
    return Missing(Reason.SHORTER, f"{text}; {fix}")


def compared_with(fresh: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Return `fresh` with close_known: what is known of the same day, null where nothing is."""
    return fresh.join(known, on=KEY, how="left", suffix="_known")


def same_close() -> pl.Expr:
    """Whether `close` is `close_known` but for rounding; null where one of the two is."""
    return (pl.col("close") / pl.col("close_known") - 1).abs() <= SAME_CLOSE
