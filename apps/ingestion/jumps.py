"""Closes that jump: an unadjusted split, a misplaced decimal point, another currency, or news."""

import math
from collections.abc import Sequence
from datetime import date

import polars as pl

from apps.ingestion.rescaling import Rescaled
from apps.ingestion.sessions import KEY

HUNDREDS = (80.0, 125.0)  # a factor about 100, of pounds and pence, and what the market adds in some sessions


def jumps(prices: pl.DataFrame, changed: pl.DataFrame, bound: float) -> pl.DataFrame:
    """Return symbol, date, factor of the closes that are `bound` times the close before, or its fraction.

    `prices` is sorted. Only days that are in `changed` (symbol, date), or that follow one: what was reported
    in an earlier batch is not reported again.
    """
    if changed.height == prices.height:  # a first load
        marked = prices.with_columns(fresh=pl.lit(value=True))
    else:
        some = prices.filter(pl.col("symbol").is_in(changed["symbol"].unique().to_list()))
        fresh = changed.select(*KEY, fresh=pl.lit(value=True))
        marked = some.join(fresh, on=KEY, how="left", maintain_order="left")
    known = pl.col("fresh").fill_null(value=False)
    steps = marked.with_columns(
        (pl.col("close") / pl.col("close").shift()).over("symbol").alias("factor"),
        (known | known.shift().over("symbol")).alias("fresh"),
    )
    large = (pl.col("factor") >= bound) | (pl.col("factor") <= 1 / bound)
    return steps.filter(large & pl.col("fresh")).select(*KEY, "factor")


def flips(rescaled: Sequence[Rescaled], known: pl.DataFrame, bound: float) -> list[tuple[str, date, float]]:
    """Return symbol, last known day, factor of the histories that jump as a whole, by no split.

    A dividend moves a history by less than any sensible `bound`.
    """
    last = dict(known.group_by("symbol").agg(pl.col("date").max()).iter_rows())
    jumping = []
    for each in rescaled:
        splits = [float(str(action["value"])) for action in each.actions if action["kind"] == "split"]
        factor = each.factor or math.nan
        if abs(math.log(factor * math.prod(splits))) >= math.log(bound):
            jumping.append((each.symbol, last[each.symbol], factor))
    return jumping


def about_a_hundred(factor: float) -> bool:
    """Whether closes may have passed from pounds to pence, or back."""
    return HUNDREDS[0] <= max(factor, 1 / factor) <= HUNDREDS[1]
