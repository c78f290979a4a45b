"""What a model learns from: features of past sessions, and the return that followed each."""

from collections.abc import Callable, Iterable

import polars as pl

from apps.evaluation.returns import ahead, with_returns
from apps.scorer.features import FEATURES, features
from apps.scorer.ranking import percentile, ranked
from apps.scorer.signals import YEAR

TARGET, FORMULA = "target", "formula"
CHECKED = 3  # sessions, the newest ones, for which features are made once more without the closes after them

# of closes, from a session on; see `past_signals`
Signals = Callable[[pl.DataFrame, int], Iterable[tuple[int, pl.DataFrame]]]


def samples(closes: pl.DataFrame, signals: Signals, horizon: int) -> pl.DataFrame:
    """Return symbol, s, the features, `formula` and `target`, by s and symbol.

    `formula` is the score by the scorer's formula. `target` is the percentile of the return of the next
    `horizon` sessions among the symbols of the session, from -0.5 to 0.5: ranks are not ruled by a few large
    returns. It is null where the return is not known. A symbol without a score is left out, as in scoring.
    """
    parts = [_of_session(number, known) for number, known in signals(closes, YEAR)]
    if not parts:
        return pl.DataFrame()
    table = pl.concat(parts).with_columns(pl.col("s").cast(closes.schema["s"]))
    gain = pl.col(ahead(horizon))
    target = (percentile(gain).over("s") / 100 - 0.5).alias(TARGET)
    return with_returns(table, closes, [horizon]).select(*table.columns, target).sort("s", "symbol")


def _of_session(number: int, signals: pl.DataFrame) -> pl.DataFrame:
    scores = ranked(signals).select("symbol", pl.col("score").alias(FORMULA))
    return (
        scores.join(features(signals), on="symbol", maintain_order="left")
        .select("symbol", pl.lit(number).alias("s"), *FEATURES, FORMULA)
        .sort("symbol")
    )


def looks_ahead(table: pl.DataFrame, closes: pl.DataFrame, signals: Signals) -> int:
    """Return how many features are others when the closes after their session are not there.

    Such a feature knows the future, and so does a model that has learned from it.
    """
    wrong: set[str] = set()
    numbers = table["s"].unique().sort().to_list()
    for number in numbers[-CHECKED - 1 : -1]:  # after the newest session there is nothing to leave out
        known = dict(signals(closes.filter(pl.col("s") <= number), number))
        made = table.filter(pl.col("s") == number)
        again = _of_session(number, known[number]) if number in known else made.clear()
        both = made.join(again, on="symbol", how="full", suffix="_again")
        for name in (*FEATURES, FORMULA):
            if not both[name].eq_missing(both[f"{name}_again"]).all():
                wrong.add(name)
    return len(wrong)
