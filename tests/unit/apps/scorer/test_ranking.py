"""Percentiles and scores: known answers and properties."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.scorer.ranking import percentile, ranked

RAW = ["momentum", "value", "downside_safety", "trend_stability"]
VALUES = st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=1, max_size=40)


def percentiles(values: list[float | None]) -> list[float | None]:
    frame = pl.DataFrame({"x": values}, schema={"x": pl.Float64})
    return frame.select(percentile(pl.col("x")))["x"].to_list()


def table(*rows: tuple) -> pl.DataFrame:
    schema = {"symbol": pl.String} | dict.fromkeys(RAW, pl.Float64)
    return pl.DataFrame(list(rows), schema=schema, orient="row")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([3.0], [50.0]),
        ([1.0, 2.0, 3.0, 4.0], [12.5, 37.5, 62.5, 87.5]),
        ([5.0, 5.0, 9.0, 1.0], [50.0, 50.0, 87.5, 12.5]),
        ([None, 2.0, 1.0], [None, 75.0, 25.0]),
        ([None], [None]),
    ],
)
def test_percentiles_by_hand(values, expected):
    assert percentiles(values) == expected


@settings(deadline=None)
@given(VALUES)
def test_percentiles_keep_order_lie_inside_and_average_50(values):
    got = percentiles(values)
    present = [(value, rank) for value, rank in zip(values, got, strict=True) if value is not None]
    assert [rank is None for rank in got] == [value is None for value in values]
    assert all(0 < rank < 100 for _, rank in present)
    for value, rank in present:
        for other, other_rank in present:
            assert (value < other) == (rank < other_rank)
    if present:
        assert sum(rank for _, rank in present) / len(present) == pytest.approx(50)


def test_scores_by_hand():
    got = ranked(
        table(
            ("C", 0.3, -0.1, -0.01, 0.9),  # best downside, best trend
            ("A", 0.1, 0.5, -0.03, 0.5),
            ("B", 0.2, None, -0.02, -0.2),
            ("D", None, None, None, None),
        )
    )
    sixth = 100 / 6
    assert got["symbol"].to_list() == ["A", "B", "C"]
    assert got["momentum"].to_list() == pytest.approx([sixth, 50, 5 * sixth])
    assert got["value"].to_list() == [75, None, 25]
    # ranks of downside 1 2 3 and trend 2 1 3: A and B tie in the mean
    assert got["quality"].to_list() == pytest.approx([2 * sixth, 2 * sixth, 5 * sixth])
    assert got["score"].to_list() == pytest.approx([125 / 3, 125 / 3, (25 + 10 * sixth) / 3])


def test_a_symbol_with_one_score_has_it_as_its_score():
    got = ranked(
        table(("A", None, None, None, None), ("B", 0.2, None, None, 0.5), ("C", 0.1, 1.0, -1.0, 0.1))
    )
    assert got.filter(pl.col("symbol") == "B").row(0) == ("B", 75.0, None, None, 75.0)


SIGNAL = st.one_of(st.none(), st.floats(-10, 10))
ROWS = st.lists(st.tuples(SIGNAL, SIGNAL, SIGNAL, SIGNAL), min_size=1, max_size=20)


@settings(deadline=None)
@given(rows=ROWS, seed=st.randoms())
def test_the_order_of_the_rows_does_not_matter(rows, seed):
    named = [(f"S{index}", *row) for index, row in enumerate(rows)]
    shuffled = list(named)
    seed.shuffle(shuffled)
    got = ranked(table(*named))
    assert got.equals(ranked(table(*shuffled)))
    assert got.select(pl.col("score").is_between(0, 100).all()).item()


@settings(deadline=None)
@given(rows=ROWS)
def test_only_the_order_of_the_signals_counts(rows):
    frame = table(*((f"S{index}", *row) for index, row in enumerate(rows)))
    stretched = frame.with_columns(pl.col(name).round(3).pow(3) * 7 + 1 for name in RAW)
    assert ranked(stretched).equals(ranked(frame.with_columns(pl.col(name).round(3) for name in RAW)))
