"""What a model is given of each symbol: its raw signals, as percentiles among all symbols of the day."""

import polars as pl

from apps.scorer.ranking import percentile

FEATURES = ("momentum", "value", "downside_safety", "trend_stability")


def features(signals: pl.DataFrame) -> pl.DataFrame:
    """Return symbol and the features, each from -0.5 to 0.5; a signal that is missing is 0, in the middle.

    `signals` holds a row a symbol with the raw signals. With a column `peers` a percentile is taken among
    those of the same peers alone.
    """

    def centred(name: str) -> pl.Expr:
        place = percentile(pl.col(name))
        return ((place.over("peers") if "peers" in signals.columns else place) / 100 - 0.5).fill_null(0.0)

    return signals.select("symbol", *(centred(name).alias(name) for name in FEATURES))
