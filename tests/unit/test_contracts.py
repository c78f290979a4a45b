"""The contracts of our own datasets: what only warns, and at which figure."""

import pytest

from datasets import EVALUATIONS_CONTRACT, PRICES_CONTRACT, SCORES_CONTRACT

KEY = "2026-11-29T06:00:00"
RESULT = {"batch": KEY, "rows": 100, "symbols": 10, "as_of": "2026-11-27"}


@pytest.mark.parametrize(
    ("contract", "check", "passes", "warns"),
    [
        (PRICES_CONTRACT, "missing sessions a symbol", {"missing_sessions": 10}, {"missing_sessions": 11}),
        (PRICES_CONTRACT, "sessions left of the sample", {"sample_left": 252}, {"sample_left": 251}),
        (
            PRICES_CONTRACT,
            "days that the exchange is known ahead",
            {"calendar_days": 30},
            {"calendar_days": 29},
        ),
        (
            SCORES_CONTRACT,
            "scored by the formula instead of a model",
            {"without_model": 0},
            {"without_model": 1},
        ),
        (PRICES_CONTRACT, "jumps", {"jumps": 0}, {"jumps": 1}),
        (EVALUATIONS_CONTRACT, "unread grades", {"unread": 0}, {"unread": 1}),
        (
            EVALUATIONS_CONTRACT,
            "upper end of the live rank IC",
            {"live_high_21": 0.0},
            {"live_high_21": -0.01},
        ),
        (
            EVALUATIONS_CONTRACT,
            "upper end of the backtest's rank IC",
            {"backtest_high_21": 0.0},
            {"backtest_high_21": -0.01},
        ),
        (EVALUATIONS_CONTRACT, "drift from the backtest", {"drift": -3.0}, {"drift": -3.1}),
        (EVALUATIONS_CONTRACT, "drift from the backtest", {"drift": 3.0}, {"drift": 3.1}),
        (EVALUATIONS_CONTRACT, "highest lower end of a rank IC", {"surest_ic": 0.3}, {"surest_ic": 0.31}),
        (
            EVALUATIONS_CONTRACT,
            "live grades with returns",
            {"live_coverage_21": 0.9},
            {"live_coverage_21": 0.89},
        ),
    ],
)
def test_a_figure_that_turns_bad_is_a_warning(contract, check, passes, warns):
    for details, passed in ((passes, True), (warns, False)):
        outcomes = contract.evaluate(KEY, {**RESULT, "details": details}, {}, required=True)
        (found,) = [one for one in outcomes if one["name"] == check]
        assert (found["passed"], found["severity"]) == (passed, "warn")
