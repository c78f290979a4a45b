"""The arithmetic of grading: composite, ranks, letters."""

from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.api.batches import BatchFiles
from apps.api.grading import composite, graded_from, letter
from apps.api.records import LETTERS
from apps.common.parquet import NOTICE, write_parquet
from tests.unit.apps.support.batch_files import AS_OF, KEY, write_prices, write_scores, write_sentiment


def letters(symbols: int) -> str:
    return "".join(letter(rank, symbols) for rank in range(1, symbols + 1))


@pytest.mark.parametrize(
    ("symbols", "expected"),
    [
        (1, "C"),
        (2, "BD"),
        (3, "BCD"),
        (4, "ABCD"),
        (5, "ABCCD"),
        (10, "AABBCCCDDF"),
        (20, "AAABBBBBCCCCCCDDDDFF"),
    ],
)
def test_letters(symbols: int, expected: str) -> None:
    assert letters(symbols) == expected


def test_letters_of_a_hundred_are_the_stated_shares() -> None:
    assert [letters(100).count(name) for name in LETTERS] == [15, 25, 30, 20, 10]


@given(st.integers(1, 600))
def test_letters_never_improve_down_the_ranks(symbols: int) -> None:
    given_out = letters(symbols)
    assert all(LETTERS.index(above) <= LETTERS.index(below) for above, below in pairwise(given_out))
    for name, share in zip(LETTERS, (0.15, 0.25, 0.3, 0.2, 0.1), strict=True):
        assert abs(given_out.count(name) - share * symbols) <= 1


@pytest.mark.parametrize(
    ("score", "sentiment", "weight", "expected"),
    [
        (80.0, None, 0.2, 74.0),  # neutral 50
        (80.0, 0.0, 0.2, 74.0),
        (80.0, 1.0, 0.2, 84.0),
        (80.0, -1.0, 0.2, 64.0),
        (80.0, -1.0, 0.0, 80.0),
        (80.0, -1.0, 1.0, 0.0),
        (None, 1.0, 0.2, None),
    ],
)
def test_composite(
    score: float | None, sentiment: float | None, weight: float, expected: float | None
) -> None:
    frame = pl.DataFrame(
        {"score": [score], "sentiment": [sentiment]}, schema=dict.fromkeys(("score", "sentiment"), pl.Float64)
    )
    assert frame.select(composite(weight)).item() == expected


def test_ties_go_by_symbol_whatever_the_order_of_the_rows(tmp_path: Path) -> None:
    orders = (["KO", "AAPL", "PG", "BAC"], ["BAC", "PG", "AAPL", "KO"])
    contents = []
    for order in orders:
        write_scores(tmp_path, dict.fromkeys(order, 50.0))
        write_sentiment(tmp_path, dict.fromkeys(reversed(order), 0.1))
        graded = graded_from(BatchFiles(tmp_path, KEY), 0.2)
        contents.append(graded.text())
        assert [grade.symbol for grade in graded.grades] == ["AAPL", "BAC", "KO", "PG"]
        assert [grade.rank for grade in graded.grades] == [1, 2, 3, 4]
    assert contents[0] == contents[1]


def test_grades_of_a_batch(tmp_path: Path) -> None:
    write_scores(tmp_path, {"AAPL": 90.0, "KO": 91.0, "PG": 40.0, "NEW": None})
    write_sentiment(tmp_path, {"AAPL": 0.5, "KO": -0.5, "TSLA": 1.0})
    write_prices(tmp_path, ["AAPL", "PG"])
    grades = graded_from(BatchFiles(tmp_path, KEY), 0.2)
    assert [(each.symbol, each.composite, each.grade) for each in grades.grades] == [
        ("AAPL", 87.0, "B"),
        ("KO", 77.8, "C"),
        ("PG", 42.0, "D"),
    ]
    assert grades.ungraded == ["NEW"]  # and TSLA, which has no scores, is none of this batch's symbols
    assert grades.distribution == {"A": 0, "B": 1, "C": 1, "D": 1, "F": 0}
    apple, coke, gamble = grades.grades
    assert apple.sparkline == [100.0 + day for day in range(20, 80)]
    assert coke.sparkline == []
    assert (gamble.sentiment, gamble.headlines) == (None, 0)
    assert grades.as_of.isoformat() == "2026-11-20"


def test_a_symbol_keeps_how_far_its_prices_are_behind(tmp_path: Path) -> None:
    path = write_scores(tmp_path, {"AAPL": 80.0, "KO": 60.0})
    write_sentiment(tmp_path, {})
    late = [(AS_OF, 0), (AS_OF - timedelta(days=3), 2)]
    days = pl.DataFrame(late, {"last_day": pl.Date, "sessions_behind": pl.Int32}, orient="row")
    pl.read_parquet(path).hstack(days).write_parquet(path)
    grades = graded_from(BatchFiles(tmp_path, KEY), 0.2).grades
    assert [(grade.last_day, grade.sessions_behind) for grade in grades] == late


@pytest.mark.parametrize(
    "column", [[], [pl.lit("yes").alias("sessions_behind")]], ids=["without", "of its own"]
)
def test_scores_that_say_nothing_of_it_are_graded(tmp_path: Path, column: list[pl.Expr]) -> None:
    path = write_scores(tmp_path, {"AAPL": 80.0})
    write_sentiment(tmp_path, {})
    pl.read_parquet(path).with_columns(column).write_parquet(path)
    (grade,) = graded_from(BatchFiles(tmp_path, KEY), 0.2).grades
    assert (grade.last_day, grade.sessions_behind) == (None, None)


@pytest.mark.parametrize("about", [{}, {NOTICE: "sample: prices of 2016-11-18"}])
def test_what_is_to_be_known_of_the_prices_is_said(tmp_path: Path, about: dict[str, str]) -> None:
    write_scores(tmp_path, {"AAPL": 80.0})
    write_sentiment(tmp_path, {})
    path = write_prices(tmp_path, ["AAPL"])
    write_parquet(path, pl.read_parquet(path), about)
    assert graded_from(BatchFiles(tmp_path, KEY), 0.2).notice == about.get(NOTICE)
