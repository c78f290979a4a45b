"""A minus F of a challenger against the champion's: known answers, and how often noise looks like a gain."""

import numpy as np
import polars as pl
import pytest

from apps.evaluation.bootstrap import band_of
from apps.evaluation.measures import lettered
from apps.evaluation.paired import HORIZONS, paired
from tests.unit.apps.support.graded_past import graded, walks

SESSIONS = 160


def letters(closes: pl.DataFrame, figures: pl.DataFrame, who: str) -> pl.DataFrame:
    return lettered(figures, "score").select("symbol", "s", pl.col("letter").alias(who))


def compared(closes, champion, challenger):
    both = letters(closes, champion, "champion").join(
        letters(closes, challenger, "challenger"), on=["symbol", "s"], how="full", coalesce=True
    )
    return paired(both, closes, SESSIONS - 1)


def spreads(scores: np.ndarray, gains: np.ndarray) -> np.ndarray:
    """A minus F of each session of 20 symbols, computed in another way: 3 have an A, 2 an F."""
    order = np.argsort(-scores, axis=0)
    best, worst = (np.take_along_axis(gains, rows, axis=0).mean(axis=0) for rows in (order[:3], order[-2:]))
    return best - worst


def knowing(closes: pl.DataFrame) -> pl.DataFrame:
    """Scores that are the return over the next 5 sessions."""
    gain = pl.col("close").shift(-5).over("symbol") / pl.col("close") - 1
    return closes.select("symbol", "s", score=gain).drop_nulls()


def test_a_challenger_like_its_champion_has_no_difference_and_a_band_of_nothing():
    closes = walks(20, SESSIONS)
    found = compared(closes, graded(closes), graded(closes))
    for horizon in HORIZONS:
        of = found[horizon]
        assert (of.sessions, of.difference, of.low, of.high) == (SESSIONS - horizon, 0.0, 0.0, 0.0)
        assert of.champion == of.challenger != 0


def test_a_challenger_that_knows_the_future_is_above_its_champion_for_sure():
    closes = walks(20, SESSIONS)
    found = compared(closes, graded(closes), knowing(closes))
    for horizon, of in found.items():
        assert 0 < of.low < of.difference < of.high, horizon
    other_way = compared(closes, knowing(closes), graded(closes))
    assert other_way[5].high < 0


@pytest.mark.parametrize("horizon", HORIZONS)
def test_a_difference_is_that_of_the_means_of_the_ends(horizon):
    closes = walks(20, SESSIONS)
    champion, challenger = graded(closes, 2), graded(closes, 3)
    grid = closes["close"].to_numpy().reshape(20, SESSIONS)
    gains = grid[:, horizon:] / grid[:, :-horizon] - 1
    worth = [
        spreads(each["score"].to_numpy().reshape(20, SESSIONS)[:, :-horizon], gains)
        for each in (champion, challenger)
    ]
    of = compared(closes, champion, challenger)[horizon]
    assert of.champion == pytest.approx(np.mean(worth[0]), abs=1e-12)
    assert of.challenger == pytest.approx(np.mean(worth[1]), abs=1e-12)
    assert of.difference == pytest.approx(np.subtract(worth[1], worth[0]).mean(), abs=1e-12)


def test_a_session_counts_only_where_both_have_returns_of_both_ends():
    closes = walks(20, SESSIONS)
    both = letters(closes, graded(closes, 2), "champion").join(
        letters(closes, graded(closes, 3), "challenger"), on=["symbol", "s"]
    )
    none_best = (pl.col("s") == 7) & (pl.col("challenger") == "A")
    some = both.filter(~none_best)
    assert paired(some, closes, SESSIONS - 1)[1].sessions == SESSIONS - 2
    assert paired(both.filter(pl.col("s") > SESSIONS - 1), closes, SESSIONS - 1)[1] == (0, *[None] * 5)


def band(figures, horizon=1, every=1):
    sessions = pl.Series([every * number for number in range(len(figures))], dtype=pl.Int32)
    return band_of(sessions, pl.Series(figures, dtype=pl.Float64), horizon)


@pytest.mark.parametrize("horizon", HORIZONS)
def test_noise_looks_like_a_gain_or_a_loss_in_about_5_of_100_cases(horizon):
    inside = 0
    for seed in range(100):
        chance = np.random.default_rng(seed)
        closes = np.exp(np.cumsum(chance.normal(0, 0.02, (20, SESSIONS)), axis=1))
        gains = closes[:, horizon:] / closes[:, :-horizon] - 1
        champion, challenger = (spreads(chance.normal(size=gains.shape), gains) for _ in range(2))
        low, high = band(challenger - champion, horizon)
        inside += low <= 0 <= high
    assert 90 <= inside <= 99


def test_the_band_of_figures_that_do_not_go_together_is_the_ordinary_one():
    figures = np.random.default_rng(3).normal(0.001, 0.02, 400)
    low, high = band(figures)
    half = 1.96 * figures.std(ddof=1) / 20
    assert (low + high) / 2 == pytest.approx(figures.mean(), abs=half / 10)
    assert (high - low) / 2 == pytest.approx(half, rel=0.15)
    assert band(figures) == (low, high)  # no chance in it


def test_figures_that_go_together_have_a_wider_band():
    steps = np.random.default_rng(3).normal(0, 0.02, 420)
    lasting = np.convolve(steps, np.ones(21), "valid") / 21**0.5  # as returns of 21 sessions overlap
    apart = np.random.default_rng(4).permutation(lasting)
    wide, narrow = (high - low for low, high in (band(lasting, 21), band(apart, 1)))
    assert wide > 2.5 * narrow


@pytest.mark.parametrize(("horizon", "every", "least"), [(1, 1, 12), (5, 1, 32), (21, 1, 104), (5, 5, 12)])
def test_with_less_than_four_blocks_there_is_no_band(horizon, every, least):
    assert band([0.01] * (least - 1), horizon, every) is None
    assert band([0.01] * least, horizon, every) == pytest.approx((0.01, 0.01))
    assert band([], horizon) is None
