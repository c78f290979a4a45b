"""What the contract is given: figures of both records, and whether they drift apart."""

from datetime import date
from math import hypot

import numpy as np
import polars as pl
import pytest

from apps.evaluation.details import details, drift
from apps.evaluation.form import Evaluation
from apps.evaluation.report import part_of
from apps.evaluation.returns import HORIZONS, ahead, with_returns
from tests.unit.apps.support.graded_past import days_of, walks
from tests.unit.apps.support.graded_past import graded as noise

SESSIONS, HALF_YEAR = 420, 150  # so that six periods of a month have returns


@pytest.fixture(scope="module")
def closes():
    return walks(12, SESSIONS)


def evaluation(closes, live, past):
    sessions = days_of(closes)
    newest = live.filter(pl.col("s") >= SESSIONS - HALF_YEAR).with_columns(
        composite="score", letter=pl.lit("C")
    )
    return Evaluation(
        batch="2026-11-22T06:00:00",
        as_of=date(2026, 11, 20),
        symbols=12,
        horizons=list(HORIZONS),
        live=part_of("live", newest, closes, sessions, ("composite", "score")),
        backtest=part_of("backtest", past.filter(pl.col("s") % 7 == 0), closes, sessions, ("score",), 7),
    )


def test_noise_does_not_drift_from_noise(closes):
    made = evaluation(closes, noise(closes, seed=3), noise(closes, seed=4))
    live, past = (part.figures["score"]["21"] for part in (made.live, made.backtest))
    errors = [(of.high - of.low) / 2 / 1.96 for of in (live, past)]
    assert drift(made) == pytest.approx((live.ic - past.ic) / hypot(*errors), rel=1e-3)
    assert abs(drift(made)) < 3


def test_a_live_score_that_knows_the_future_drifts_from_one_that_does_not(closes):
    known = with_returns(closes.select("symbol", "s"), closes).rename({ahead(21): "score"})
    found = details(evaluation(closes, known.select("symbol", "s", "score"), noise(closes, 99)))
    assert found["live_ic_21"] == pytest.approx(1)
    assert found["drift"] is None  # all are equal, so that there is no error
    chance = pl.Series(np.random.default_rng(1).normal(scale=0.05, size=known.height))
    almost = known.select("symbol", "s", score=pl.col("score") + chance)
    found = details(evaluation(closes, almost, noise(closes, 99)))
    assert found["drift"] > 3
    assert found["surest_ic"] > 0.3


@pytest.mark.parametrize("days", [5, 120])
def test_before_enough_returns_are_in_there_is_no_drift(closes, days):
    young = noise(closes, 1).filter(pl.col("s") >= SESSIONS - days)
    found = details(evaluation(closes, young, noise(closes, 99)))
    assert (found["drift"], found["live_gradings"]) == (None, days)
    assert (found["live_high_21"] is None) == (days == 5)
    assert found["backtest_high_21"] is not None
