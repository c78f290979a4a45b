"""Each screen on closes whose leader is known by construction."""

from datetime import date, timedelta

import polars as pl
import pytest

from apps.ingestion.screens import SCREENS, appearances
from apps.ingestion.table import SCHEMA

DAYS = 1300
END = date(2026, 11, 20)


def prices(**closes: list[float]) -> pl.DataFrame:
    """Daily closes that all end on END."""
    parts = [
        pl.DataFrame(
            {
                "symbol": symbol,
                "date": pl.date_range(END - timedelta(days=len(values) - 1), END, eager=True),
                "close": values,
            },
            schema_overrides=SCHEMA,
        )
        for symbol, values in sorted(closes.items())
    ]
    return pl.concat(parts)


RISING = [100 * 1.001**day for day in range(DAYS)]
WOBBLY = [close * (1.05 if day % 2 else 0.95) for day, close in enumerate(RISING)]
FALLING = [100 * 0.999**day for day in range(DAYS)]
FLAT = [100.0] * DAYS
YOUNG = [10.0 + day for day in range(252)]  # one day short of a year's returns
BELOW_HIGH = [*FLAT[:-100], *[150.0] * 10, *[100.0] * 90]


def listed(table: pl.DataFrame, screener: str, top: int = 3) -> list[str]:
    return [row["symbol"] for row in appearances(table, top)[1] if row["screener"] == screener]


@pytest.mark.parametrize(
    ("screener", "expected"),
    [
        ("momentum_leaders", ["RISING", "WOBBLY", "DIPPED"]),  # DIPPED was level at both ends
        ("near_52w_high", ["FLAT", "RISING", "WOBBLY"]),
        ("long_term_losers", ["FALLING"]),
        ("below_5y_mean", ["FALLING", "DIPPED"]),
        ("steady_trend", ["RISING", "WOBBLY"]),
    ],
)
def test_a_screen_lists_the_leaders_best_first(screener, expected):
    table = prices(RISING=RISING, WOBBLY=WOBBLY, FALLING=FALLING, FLAT=FLAT, DIPPED=BELOW_HIGH)
    got = listed(table, screener)
    assert got[: len(expected)] == expected


def test_low_volatility_lists_the_calmest_first():
    calm = [100 * (1.01 if day % 3 else 0.99) for day in range(DAYS)]
    table = prices(WOBBLY=WOBBLY, CALM=calm, DIPPED=BELOW_HIGH, FLAT=FLAT)
    assert listed(table, "low_volatility", top=4) == ["FLAT", "CALM", "DIPPED", "WOBBLY"]


def test_symbols_with_too_little_history_or_no_recent_price_are_not_listed():
    halted = prices(HALTED=RISING).with_columns(pl.col("date") - timedelta(days=11))
    table = pl.concat([halted, prices(RISING=RISING, YOUNG=YOUNG)])
    assert listed(table, "momentum_leaders") == ["RISING"]
    assert listed(table, "near_52w_high") == ["RISING", "YOUNG"]
    assert listed(table, "low_volatility") == ["RISING"]


@pytest.mark.parametrize(("newest", "still_traded"), [(date(2026, 11, 30), True), (date(2026, 12, 1), False)])
def test_with_an_exchange_a_recent_price_is_one_of_the_last_sessions(newest, still_traded):
    """From END, a Friday, to the next Friday are four sessions and Thanksgiving."""
    later = prices(RISING=RISING).with_columns(pl.col("date") + (newest - END))
    table = pl.concat([prices(HALTED=RISING), later])
    _, rows = appearances(table, 3, "XNYS")
    assert ("HALTED" in {row["symbol"] for row in rows}) == still_traded


@pytest.mark.parametrize("constant", [7.7, 0.1, 1e5 / 3])
def test_a_constant_close_is_no_trend(constant):
    table = prices(A=[constant] * DAYS, B=RISING)
    assert listed(table, "steady_trend") == ["B"]
    assert listed(table, "below_5y_mean") == []


def test_momentum_leaves_out_the_last_month():
    rally, slump = [*FLAT[:-20], *[300.0] * 20], [*FLAT[:-20], *[30.0] * 20]
    table = prices(RALLY=rally, SLUMP=slump, RISING=RISING)
    assert listed(table, "momentum_leaders") == ["RISING", "RALLY", "SLUMP"]


def test_ties_are_broken_by_symbol_and_top_limits_the_list():
    table = prices(C=RISING, A=RISING, B=RISING)
    assert listed(table, "momentum_leaders", top=2) == ["A", "B"]


def test_as_of_and_the_set_of_screens():
    as_of, rows = appearances(prices(A=RISING, B=FALLING, C=FLAT), 1)
    assert as_of == END
    assert {(screen.name, screen.style) for screen in SCREENS} == {
        ("momentum_leaders", "momentum"),
        ("near_52w_high", "momentum"),
        ("long_term_losers", "value"),
        ("below_5y_mean", "value"),
        ("low_volatility", "quality"),
        ("steady_trend", "quality"),
    }
    assert [row["symbol"] for row in rows] == ["A", "A", "B", "B", "C", "A"]
