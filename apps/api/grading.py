"""Grades of a batch: a composite of score and sentiment, ranked, and cut into letters A to F."""

from collections import Counter
from dataclasses import dataclass

import polars as pl

from apps.api.batches import BatchFiles
from apps.api.inputs import read_scores, read_sentiment, read_sparklines
from apps.api.records import Grade, Grades, write_grades
from apps.common.batches import prune_followers
from apps.common.files import checksum
from apps.common.stage import BadData

NEUTRAL = 50.0  # where no sentiment is known
LETTERS = "ABCDF"
# Share of symbols down to and including each letter, percent: A the top 15, B the next 25, then 30, 20, 10.
CUMULATIVE_PERCENT = (15, 40, 70, 90, 100)


@dataclass(frozen=True)
class Graded:
    """What a refresh has done."""

    grades: Grades
    checksum: str  # of the written file

    @property
    def distribution(self) -> dict[str, int]:
        """Number of symbols with each letter, A to F, zeros included."""
        counts = Counter(grade.grade for grade in self.grades.grades)
        return {letter: counts[letter] for letter in LETTERS}


def grade_batch(files: BatchFiles, sentiment_weight: float) -> Graded:
    """Grade a batch whose halves are there and write its grades; the same input gives the same bytes.

    The grades of batches whose prices are no longer kept are removed. Raises BadData when a file is corrupt
    or no symbol has a score.
    """
    scores = read_scores(files.scores)
    frame = (
        scores.join(read_sentiment(files.sentiment), on="symbol", how="left")
        .join(read_sparklines(files.prices), on="symbol", how="left")
        .with_columns(composite(sentiment_weight), pl.col("headlines").fill_null(0))
        .with_columns(pl.col("sparkline").fill_null([]))
        .sort(["composite", "symbol"], descending=[True, False], nulls_last=True)
    )
    ranked = frame.filter(pl.col("composite").is_not_null())
    if ranked.is_empty():
        raise BadData(f"{files.scores}: no symbol has a score, so nothing can be graded")
    grades = Grades(
        batch=files.key,
        as_of=scores.select(pl.col("as_of").max()).item(),
        sentiment_weight=sentiment_weight,
        grades=[
            Grade(rank=rank, grade=letter(rank, ranked.height), **row)
            for rank, row in enumerate(ranked.drop("as_of").iter_rows(named=True), start=1)
        ],
        ungraded=frame.filter(pl.col("composite").is_null())["symbol"].to_list(),
    )
    write_grades(files.grades, grades)
    prune_followers(files.grades.parent)
    return Graded(grades, checksum(files.grades))


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
