"""From raw signals to scores: percentiles across the symbols of one day."""

import polars as pl

SCORES = ("momentum", "value", "quality")


def percentile(column: pl.Expr) -> pl.Expr:
    """Return 100 (r - 1/2) / n of each value, r its rank from the lowest among the n present ones.

    Equal values share their mean rank (plotting position of Hazen 1914). Lies strictly between 0 and 100,
    has the mean 50, and is 50 for a single symbol. Null stays null and counts for nothing.
    """
    return (column.rank("average") - 0.5) / column.count() * 100


def ranked(signals: pl.DataFrame) -> pl.DataFrame:
    """Return symbol, the three percentiles and their mean as score, sorted by symbol.

    `signals` holds a row a symbol: symbol, momentum, value, downside_safety, trend_stability. Quality is the
    percentile of the mean of the latter two's percentiles. The score is the mean of the percentiles present;
    symbols without any are left out. With a column `peers` a percentile is taken among those of the same
    peers alone.
    """

    def among(column: pl.Expr) -> pl.Expr:
        return percentile(column).over("peers") if "peers" in signals.columns else percentile(column)

    both = (among(pl.col("downside_safety")) + among(pl.col("trend_stability"))) / 2
    return (
        signals.with_columns(quality=both)
        .with_columns(among(pl.col(name)).alias(name) for name in SCORES)
        .select("symbol", *SCORES, score=pl.mean_horizontal(SCORES))
        .drop_nulls("score")
        .sort("symbol")
    )
