"""Closes that jump from one session to the next: an unadjusted split, a misplaced decimal point, or news."""

import polars as pl

from apps.ingestion.sessions import KEY


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
