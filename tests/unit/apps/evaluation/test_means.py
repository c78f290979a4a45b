"""Means and how sure they are: known answers, the formulas in full, and how often noise looks sure."""

import numpy as np
import polars as pl
import pytest

from apps.evaluation.means import Mean, mean_of, student

FIGURES = np.random.default_rng(3).normal(0.02, 0.2, 60)


def mean(sessions, figures, horizon):
    return mean_of(pl.Series(sessions, dtype=pl.Int32), pl.Series(figures, dtype=pl.Float64), horizon)


def test_returns_of_one_session_have_the_ordinary_t_value():
    found = mean(range(60), FIGURES, 1)
    error = FIGURES.std(ddof=1) / 60**0.5
    assert found.mean == pytest.approx(FIGURES.mean(), abs=1e-12)
    assert found.t == pytest.approx(FIGURES.mean() / error, abs=1e-9)
    assert (found.sessions, found.periods) == (60, 60)


@pytest.mark.parametrize(("horizon", "every"), [(5, 1), (21, 1), (21, 7), (63, 21), (5, 21), (5, 2)])
def test_overlapping_returns_are_weighed_by_how_much_they_overlap(horizon, every):
    places = [every * number for number in range(60)]
    apart = np.abs(np.subtract.outer(places, places))
    deviations = FIGURES - FIGURES.mean()
    equal, falling = (
        deviations @ weights @ deviations
        for weights in ((apart < horizon).astype(float), np.clip(1 - apart / horizon, 0, None))
    )
    found = mean(places, FIGURES, horizon)
    error = (max(equal, falling) * found.periods / (found.periods - 1)) ** 0.5 / 60
    assert found.t == pytest.approx(FIGURES.mean() / error, abs=1e-9)
    assert found.periods == len(places[:: -(-horizon // every)])


@pytest.mark.parametrize(("sessions", "every", "most"), [(63, 1, 0.12), (250, 1, 0.1), (300, 7, 0.075)])
@pytest.mark.parametrize("lasting", [True, False])
def test_noise_looks_sure_hardly_more_often_than_said(sessions, every, most, lasting):
    """A figure that lasts goes together with itself as much as its returns overlap; 5 % are said."""
    chance, horizon, tries = np.random.default_rng(11), 21, 400
    places = [every * number for number in range(sessions)]
    sure = 0
    for _ in range(tries):
        daily = chance.normal(size=places[-1] + horizon)
        sums = np.convolve(daily, np.ones(horizon), "valid")[::every]
        found = mean(places, sums if lasting else daily[:sessions], horizon)
        sure += found.low > 0 or found.high < 0
    assert sure / tries <= most


def test_two_clusters_are_two_periods():
    """What lies between them was not graded."""
    found = mean([*range(5), *range(200, 205)], range(10), 21)
    assert (found.periods, found.t) == (2, None)


def test_gaps_between_sessions_are_counted_in_sessions():
    """Two figures that lie further apart than the horizon do not overlap."""
    together, apart = mean(range(12), [1, 1, 0] * 4, 3), mean(range(0, 36, 3), [1, 1, 0] * 4, 3)
    assert apart.t == pytest.approx(np.mean([1, 1, 0]) / (np.std([1, 1, 0] * 4, ddof=1) / 12**0.5))
    assert together.t != pytest.approx(apart.t)


def test_the_band_is_wider_for_few_periods():
    found = mean(range(60), FIGURES, 21)
    assert found.periods == 3
    assert found.low == pytest.approx(found.mean - student(0.95, 2) * found.error)
    assert student(0.95, 2) == pytest.approx(4.303, rel=0.04)
    assert student(0.95, 10) == pytest.approx(2.228, rel=0.001)
    assert student(0.95, 10_000) == pytest.approx(1.960, rel=0.001)


@pytest.mark.parametrize(("figures", "expected"), [([], None), ([None, None], None), ([0.5, None, 0.1], 0.3)])
def test_nothing_is_said_of_few_periods(figures, expected):
    found = mean(range(len(figures)), figures, 1)
    assert found.mean == pytest.approx(expected)
    assert (found.t, found.low, found.high) == (None, None, None)


def test_figures_that_are_all_equal_have_no_t_value():
    assert mean(range(5), [0.1] * 5, 1) == Mean(5, 5, 0.1, 0.0)
