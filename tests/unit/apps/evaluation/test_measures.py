"""Rank IC, returns by letter, turnover and coverage: known answers, and the same computed another way."""

import pandas as pd
import polars as pl
import pytest

from apps.api.grading import letter
from apps.evaluation.measures import by_session, lettered
from apps.evaluation.returns import HORIZONS, ahead, with_returns
from tests.unit.apps.support.graded_past import graded, walks

LAST = 149


@pytest.fixture(scope="module")
def closes():
    return walks(20, LAST + 1)


@pytest.fixture(scope="module")
def followed(closes):
    return with_returns(lettered(graded(closes), "score"), closes)


def by_symbol(frame, column):
    """Return a column as pandas has it: a row a session, a column a symbol."""
    series = {name[0]: part.sort("s")[column].to_list() for name, part in frame.group_by("symbol")}
    return pd.DataFrame(series)


@pytest.mark.parametrize("horizon", HORIZONS)
def test_each_session_is_as_pandas_computes_it(closes, followed, horizon):
    wide = by_symbol(closes, "close")
    gains = wide.shift(-horizon) / wide - 1
    scores = by_symbol(followed, "score")
    found = by_session(followed, "score", horizon, LAST)
    assert found["s"].to_list() == list(range(LAST + 1 - horizon))
    for session in (0, 7, LAST - horizon):
        row, gain, score = found.row(session, named=True), gains.loc[session], scores.loc[session]
        expected = score.rank().corr(gain.rank())
        assert row["ic"] == pytest.approx(expected, abs=1e-9)
        names = score.sort_values(ascending=False).index
        letters = pd.Series({name: letter(rank, 20) for rank, name in enumerate(names, start=1)})
        for each in "ABCDF":
            assert row[each] == pytest.approx(gain[letters[letters == each].index].mean(), abs=1e-9)
        assert row["spread"] == pytest.approx(row["A"] - row["F"], abs=1e-12)


@pytest.mark.parametrize("horizon", HORIZONS)
def test_a_score_that_knows_the_future_has_a_rank_ic_of_1(closes, horizon):
    known = with_returns(closes.select("symbol", "s"), closes)
    foresight = known.filter(pl.col("s") <= LAST - horizon).with_columns(score=pl.col(ahead(horizon)))
    found = by_session(lettered(foresight, "score"), "score", horizon, LAST)
    assert found["ic"].to_list() == pytest.approx([1.0] * (LAST + 1 - horizon))
    assert (found["spread"] > 0).all()


def test_noise_stays_within_two_standard_errors(followed):
    found = by_session(followed, "score", 1, LAST)
    assert abs(found["ic"].mean()) < 2 / found["pairs"].sum() ** 0.5


@pytest.mark.parametrize("symbols", [1, 2, 3, 4, 7, 20, 101])
def test_letters_are_cut_like_those_of_the_grades(symbols):
    frame = pl.DataFrame({"symbol": [f"S{rank:03}" for rank in range(1, symbols + 1)], "s": 0, "score": 1.0})
    cut = lettered(frame, "score").sort("symbol")["letter"].to_list()
    assert cut == [letter(rank, symbols) for rank in range(1, symbols + 1)]


def test_a_symbol_without_a_figure_has_no_letter():
    frame = pl.DataFrame({"symbol": ["A", "B"], "s": 0, "score": [None, 1.0]})
    assert lettered(frame, "score").select("symbol", "letter").rows() == [("B", "C")]


def test_a_missing_session_does_not_move_the_later_ones():
    closes = pl.DataFrame({"symbol": ["A", "A", "A"], "s": [0, 2, 3], "close": [1.0, 4.0, 8.0]})
    found = with_returns(closes.select("symbol", "s"), closes, (1, 2))
    assert found[ahead(1)].to_list() == [None, 1.0, None]
    assert found[ahead(2)].to_list() == [3.0, None, None]


def test_a_symbol_that_left_counts_against_the_coverage(closes, followed):
    gone = closes.filter((pl.col("symbol") != "S001") | (pl.col("s") < 100))
    found = by_session(with_returns(lettered(graded(closes), "score"), gone), "score", 1, LAST)
    assert found.filter(s=99)["pairs"].item() == 19
    assert found.filter(s=98).select("graded", "pairs").row(0) == (20, 20)


def test_two_symbols_or_equal_figures_have_no_rank_ic(closes):
    few = graded(closes).filter(pl.col("symbol").is_in(["S000", "S001"]))
    equal = graded(closes).with_columns(score=pl.lit(1.0))
    for frame in (few, equal):
        found = by_session(with_returns(lettered(frame, "score"), closes), "score", 1, LAST)
        assert found["ic"].null_count() == found.height == LAST


def test_turnover_is_the_share_of_new_names_among_the_best():
    rows = [(symbol, s, -rank) for s, order in enumerate(["ABCDEFGHIJ", "ACBDEFGHIJ", "DEBCAFGHIJ"])
            for rank, symbol in enumerate(order)]  # fmt: skip
    frame = pl.DataFrame(rows, schema={"symbol": pl.String, "s": pl.Int32, "score": pl.Float64}, orient="row")
    closes = frame.select("symbol", "s", close=pl.lit(1.0))
    found = by_session(with_returns(lettered(frame, "score"), closes), "score", 1, 3)
    assert found["turnover"].to_list() == [None, 0.5, 1.0]  # the best: A, B; A, C; D, E
