"""Grades of a batch: a composite of score and sentiment, ranked, and cut into letters A to F."""

import polars as pl

from apps.api.batches import BatchFiles
from apps.api.inputs import read_names, read_notice, read_scores, read_sentiment, read_sparklines
from apps.api.records import LETTERS, Grade, Grades, Session
from apps.common.stage import BadData

NEUTRAL = 50.0  # where no sentiment is known
# Share of symbols down to and including each letter, percent: A the top 15, B the next 25, then 30, 20, 10.
CUMULATIVE_PERCENT = (15, 40, 70, 90, 100)


def graded_from(files: BatchFiles, sentiment_weight: float, session: Session | None = None) -> Grades:
    """Return the grades of a batch whose halves are there; the same input gives the same grades.

    Raises Changed when a file is not the one that was published, BadData when one is corrupt or no symbol has
    a score.
    """
    path, prices = files.path("scores"), files.prices()
    scores = read_scores(path)
    frame = (
        scores.join(read_sentiment(files.path("sentiment")), on="symbol", how="left")
        .join(read_sparklines(prices), on="symbol", how="left")
        .join(read_names(files.universe(), scores), on="symbol", how="left")
        .with_columns(composite(sentiment_weight), pl.col("headlines").fill_null(0))
        .with_columns(pl.col("sparkline").fill_null([]), pl.col("sparkline").list.last().alias("close"))
        .sort(["composite", "symbol"], descending=[True, False], nulls_last=True)
    )
    ranked = frame.filter(pl.col("composite").is_not_null())
    if ranked.is_empty():
        raise BadData(f"{path}: no symbol has a score, so nothing can be graded")
    return Grades(
        batch=files.key,
        as_of=scores.select(pl.col("as_of").max()).item(),
        sentiment_weight=sentiment_weight,
        grades=[
            Grade(rank=rank, grade=letter(rank, ranked.height), **row)
            for rank, row in enumerate(ranked.drop("as_of").iter_rows(named=True), start=1)
        ],
        ungraded=frame.filter(pl.col("composite").is_null())["symbol"].to_list(),
        session=session,
        notice=read_notice(prices),
    )


def composite(sentiment_weight: float) -> pl.Expr:
    """Return (1 - w) * score + w * sentiment, 0..100, where -1..1 of sentiment maps to 0..100.

    Rounded to hundredths before the ranking, so that equal figures rank as equal (by symbol). Null where
    the score is null.
    """
    sentiment = ((pl.col("sentiment") + 1) * 50).fill_null(NEUTRAL)
    mixed = (1 - sentiment_weight) * pl.col("score") + sentiment_weight * sentiment
    return mixed.round(2).alias("composite")


def letter(rank: int, symbols: int) -> str:
    """Return the letter of a rank 1..symbols, by cross-sectional quantile.

    A rank stands at the quantile (rank - 1/2) / symbols (Hazen 1914), so that few symbols get middling
    letters: a single symbol is a C, and the first A needs four. In whole numbers, so that no rounding moves a
    border.
    """
    for name, percent in zip(LETTERS, CUMULATIVE_PERCENT, strict=True):
        if (2 * rank - 1) * 100 <= 2 * symbols * percent:
            return name
    raise ValueError(f"rank {rank} of {symbols}")
