"""What a figure of the grades was worth, session by session: `returns` says what came after it.

Ranks and letters are across the symbols of one session. The rank IC is Spearman's correlation of the figure
with the return, equal values at their mean rank.
"""

import polars as pl

from apps.api.grading import CUMULATIVE_PERCENT
from apps.api.records import LETTERS
from apps.evaluation.returns import ahead, later

LEAST_PAIRS = 3  # symbols without which a session has no rank IC
BEST, WORST = LETTERS[0], LETTERS[-1]


def lettered(graded: pl.DataFrame, figure: str) -> pl.DataFrame:
    """Return the rows that have the figure, with the letter that its rank in its session gives, as `letter`.

    Letters are cut like those of the grades, see `apps.api.grading.letter`.
    """
    rank, count = pl.int_range(1, pl.len() + 1).over("s"), pl.len().over("s").cast(pl.Int64)
    cuts = zip(LETTERS, CUMULATIVE_PERCENT, strict=True)
    letters = [
        pl.when((2 * rank - 1) * 100 <= 2 * count * percent).then(pl.lit(name)) for name, percent in cuts
    ]
    return (
        graded.filter(pl.col(figure).is_not_null())
        .sort("s", figure, "symbol", descending=[False, True, False])  # equal figures rank by symbol
        .with_columns(pl.coalesce(letters).alias("letter"))
    )


def by_session(graded: pl.DataFrame, figure: str, horizon: int, last: int) -> pl.DataFrame:
    """Return a row a session whose return is in by the session `last`, in order of time.

    `graded` is what `lettered` returns, with returns. The columns: s, graded (symbols), pairs (those with a
    return), ic, later_ic (with the part of the return since the horizon before), the mean return of each
    letter, spread (that of A minus that of F), and turnover.
    """
    gain = pl.col(ahead(horizon))
    found = (
        graded.filter(pl.col("s") <= last - horizon)
        .group_by("s")
        .agg(
            graded=pl.len(),
            pairs=gain.is_not_null().sum(),
            ic=rank_correlation(figure, ahead(horizon)),
            later_ic=rank_correlation(figure, later(horizon)),
            **{name: gain.filter(pl.col("letter") == name).mean() for name in LETTERS},
        )
        .with_columns(spread=pl.col(BEST) - pl.col(WORST))
        .sort("s")
    )
    return found.join(_turnover(graded, horizon), on="s", how="left", maintain_order="left")


def rank_correlation(figure: str, gain: str) -> pl.Expr:
    """Return Spearman's correlation of two columns, of rows with a gain; null where there is none."""
    there = pl.col(gain).is_not_null()
    figures, gains = pl.col(figure).filter(there).rank(), pl.col(gain).filter(there).rank()
    known = (there.sum() >= LEAST_PAIRS) & (figures.n_unique() > 1) & (gains.n_unique() > 1)
    return pl.when(known).then(pl.corr(figures, gains))  # without a difference there is no order


def _turnover(graded: pl.DataFrame, horizon: int) -> pl.DataFrame:
    """Return s and turnover: which share of the best letter did not have it a horizon before.

    Only sessions count that were graded a horizon before, too.
    """
    best = graded.filter(pl.col("letter") == BEST).select("s", "symbol")
    before = best.with_columns(pl.col("s") + horizon, stayed=pl.lit(value=True))
    return (
        best.join(graded.select(pl.col("s").unique() + horizon), on="s", how="semi")
        .join(before, on=["s", "symbol"], how="left")
        .group_by("s")
        .agg(turnover=pl.col("stayed").is_null().mean())
    )
