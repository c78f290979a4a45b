"""Forward returns: from the close that a grade was made of to the close so many sessions later."""

from collections.abc import Sequence

import polars as pl

HORIZONS = (1, 5, 21, 63)  # sessions: a day, a week, a month, a quarter


def ahead(horizon: int) -> str:
    """Return the name of the column of a return."""
    return f"return_{horizon}"


def later(horizon: int) -> str:
    """Return the name of the column of the part of a return since the horizon before."""
    return f"later_{horizon}"


def with_returns(
    graded: pl.DataFrame, closes: pl.DataFrame, horizons: Sequence[int] = HORIZONS
) -> pl.DataFrame:
    """Add the returns that follow each row of `graded` (symbol, s, …), null where a close is missing.

    `closes` has symbol, s and close. A symbol without a close on either of the two sessions has no return,
    as one that has left the exchange.
    """
    found = graded.with_columns(_close(graded, closes, 0).alias("close"))
    before = found["close"]
    for horizon in horizons:
        close = _close(graded, closes, horizon)
        found = found.with_columns(
            (close / found["close"] - 1).alias(ahead(horizon)), (close / before - 1).alias(later(horizon))
        )
        before = close
    return found.drop("close")


def _close(graded: pl.DataFrame, closes: pl.DataFrame, horizon: int) -> pl.Series:
    """Return for each row the close of its symbol so many sessions later."""
    wanted = graded.select("symbol", pl.col("s") + horizon)
    sessions = wanted["s"].unique()
    there = closes.filter(pl.col("s").is_in(sessions.implode()))
    return wanted.join(there, on=["symbol", "s"], how="left", maintain_order="left")["close"]
