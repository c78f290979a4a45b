"""What `rankalpha evaluate` prints, and when it refuses."""

import json

import pytest

from rankalpha.commands.evaluate import evaluate
from rankalpha.commands.refusals import REFUSALS

KEY = "2026-11-20T06:00:00"
MEASURES = {
    "sessions": 300, "periods": 280, "ic": 0.0312, "t": 2.14, "low": 0.002, "high": 0.06, "hit_rate": 0.55,
    "later_ic": 0.01, "returns": {"A": 0.1234, "B": 0.01, "C": 0.0, "D": -0.005, "F": None},
    "spread": 0.0123, "spread_t": 1.5, "turnover": None, "coverage": 0.98, "by_period": [],
}  # fmt: skip
NOTHING = dict.fromkeys(MEASURES) | {
    "sessions": 0, "periods": 0, "returns": dict.fromkeys("ABCDF"), "by_period": []
}  # fmt: skip
SPAN = {"first": "2026-11-20", "last": "2026-11-20", "every": None}
RECORD = {
    "batch": KEY,
    "as_of": "2026-11-20",
    "symbols": 20,
    "horizons": [1, 21],
    "live": {**SPAN, "gradings": 1, "limits": [], "figures": {"composite": {"1": NOTHING, "21": NOTHING}}},
    "backtest": {
        **SPAN,
        "gradings": 300,
        "limits": ["It knows no costs."],
        "figures": {"composite": {"1": MEASURES, "21": NOTHING}},
    },
}


@pytest.fixture
def servers(monkeypatch, serving):
    """Airflow's API and RankAlpha's; gives the requests and what the latter answers."""
    answers = {"record": (200, RECORD)}

    def answer(request):
        assert request.path == "/api/v1/grading/record"
        return answers["record"]

    monkeypatch.setenv("COLUMNS", "80")
    with serving(answer) as requests:
        yield answers, requests


def test_both_records_are_shown_apart(servers, capsys):
    assert evaluate(None, None, as_json=False) == 0
    text = capsys.readouterr().out
    live, backtest = text.split("Backtest")
    assert "No returns are in yet" in live
    assert "1 grading, 2026-11-20" in live
    assert "+0.031 +2.1 +0.002 +0.060" in backtest
    assert "55 % +0.010" in backtest
    returns = " ".join(backtest.partition("Mean return by letter, in %")[2].split())
    assert returns.startswith("figure sessions A B C D F A - F coverage ")
    assert "composite 1 +12.34 +1.00 +0.00 -0.50 - +1.23 98 % 21 - - " in returns
    assert "- It knows no costs." in backtest
    assert max(map(len, text.splitlines())) <= 80


def test_json_is_what_the_api_answers(servers, capsys):
    assert evaluate(KEY, None, as_json=True) == 0
    assert json.loads(capsys.readouterr().out) == RECORD
    assert servers[1][-1].query == {"batch": [KEY]}


def test_without_an_evaluation_it_says_where_to_look(servers):
    servers[0]["record"] = (404, {"detail": "no batch has been evaluated yet"})
    with pytest.raises(REFUSALS, match="no batch has an evaluation yet; see rankalpha_evaluation"):
        evaluate(None, None, as_json=False)
    with pytest.raises(REFUSALS, match=f"batch {KEY} has no evaluation yet"):
        evaluate(KEY, None, as_json=False)


def test_what_is_no_batch_is_refused(servers):
    with pytest.raises(REFUSALS, match="yesterday"):
        evaluate("yesterday", None, as_json=False)
