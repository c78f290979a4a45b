"""The raw signals against values computed by hand and by NumPy."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.scorer import signals


def raw(closes: list[float], expression: pl.Expr) -> float | None:
    frame = pl.DataFrame({"symbol": "A", "close": closes}, schema_overrides={"close": pl.Float64})
    return frame.group_by("symbol").agg(expression.alias("signal"))["signal"].item()


def test_momentum_is_the_return_from_252_to_21_days_ago():
    closes = [1.0] * 300
    closes[-1 - 252], closes[-1 - 21] = 80.0, 100.0
    assert raw(closes, signals.momentum()) == pytest.approx(0.25)


def test_value_is_the_negative_return_from_1260_to_252_days_ago():
    closes = [1.0] * 1300
    closes[-1 - 1260], closes[-1 - 252] = 80.0, 20.0
    assert raw(closes, signals.value()) == pytest.approx(0.75)


def test_downside_counts_falls_only_and_divides_by_all_days():
    closes = [100.0] * 253
    closes[100:] = [90.0] * 153  # one fall of 10 %
    closes[200:] = [99.0] * 53  # one rise of 10 %
    closes[0] = 100.0
    assert raw(closes, signals.downside_safety()) == pytest.approx(-math.sqrt(0.1**2 / 252))
    assert raw([1e6, *closes], signals.downside_safety()) == pytest.approx(-math.sqrt(0.1**2 / 252))


def test_trend_stability_of_a_steady_rise_a_steady_fall_and_no_move():
    rise = [1.01**day for day in range(252)]
    assert raw(rise, signals.trend_stability()) == pytest.approx(1.0)
    assert raw(rise[::-1], signals.trend_stability()) == pytest.approx(-1.0)
    for constant in (7.7, 0.1, 1e5 / 3):
        assert raw([constant] * 252, signals.trend_stability()) == 0.0


@pytest.mark.parametrize(
    ("signal", "needed"),
    [
        (signals.momentum(), 253),
        (signals.value(), 1261),
        (signals.downside_safety(), 253),
        (signals.trend_stability(), 252),
    ],
)
def test_a_signal_needs_its_whole_window(signal, needed):
    closes = [1.0 + 0.001 * (day % 7) for day in range(needed)]
    assert raw(closes, signal) is not None
    assert raw(closes[1:], signal) is None


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 2**32 - 1), drift=st.floats(-0.01, 0.01), days=st.integers(253, 400))
def test_against_numpy_on_random_walks(seed, drift, days):
    closes = 50 * np.exp(np.cumsum(np.random.default_rng(seed).normal(drift, 0.02, days)))
    x, y = np.arange(252), np.log(closes[-252:])
    slope, intercept = np.polyfit(x, y, 1)
    r_squared = 1 - np.sum((y - slope * x - intercept) ** 2) / np.sum((y - y.mean()) ** 2)
    assert raw(list(closes), signals.trend_stability()) == pytest.approx(np.sign(slope) * r_squared, abs=1e-9)
    falls = np.minimum(closes[-252:] / closes[-253:-1] - 1, 0)
    assert raw(list(closes), signals.downside_safety()) == pytest.approx(-np.sqrt(np.mean(falls**2)))


def test_the_unit_of_the_price_does_not_matter():
    closes = list(50 * np.exp(np.cumsum(np.random.default_rng(1).normal(0, 0.02, 1300))))
    for signal in (signals.momentum(), signals.value(), signals.downside_safety(), signals.trend_stability()):
        scaled = raw([close * 1000 for close in closes], signal)
        assert scaled == pytest.approx(raw(closes, signal))


def test_groups_do_not_mix():
    rise, fall = [1.01**day for day in range(252)], [0.99**day for day in range(252)]
    frame = pl.DataFrame(
        {"symbol": ["A", "B"] * 252, "close": [c for pair in zip(rise, fall, strict=True) for c in pair]}
    )
    got = frame.group_by("symbol").agg(signals.trend_stability().alias("signal")).sort("symbol")["signal"]
    assert got.to_list() == pytest.approx([1.0, -1.0])
