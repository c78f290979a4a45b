"""Closes and gradings of many sessions, as the evaluation has them."""

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import polars as pl

from apps.evaluation.sessions import Sessions

FIRST = date(2020, 1, 1)


def walks(symbols: int, sessions: int, seed: int = 1, names: Sequence[str] = ()) -> pl.DataFrame:
    """Return symbol, date, close and s of random walks, each day a session; sorted."""
    chance = np.random.default_rng(seed)
    closes = 100 * np.exp(np.cumsum(chance.normal(0, 0.02, (symbols, sessions)), axis=1))
    kind = pl.Enum(names or [f"S{number:03}" for number in range(symbols)])
    return pl.DataFrame(
        {
            "symbol": pl.Series(np.repeat(kind.categories.to_list(), sessions), dtype=kind),
            "date": [FIRST + timedelta(days=day) for day in range(sessions)] * symbols,
            "close": closes.ravel(),
            "s": pl.Series(np.tile(np.arange(sessions), symbols), dtype=pl.Int32),
        }
    )


def days_of(closes: pl.DataFrame) -> Sessions:
    return Sessions.of(closes["date"], "")


def graded(closes: pl.DataFrame, seed: int = 2, figure: str = "score") -> pl.DataFrame:
    """Return symbol, s and a figure that knows nothing."""
    noise = np.random.default_rng(seed).normal(size=closes.height)
    return closes.select("symbol", "s").with_columns(pl.Series(figure, noise))
