"""The backtest scores the past as the scorer did then, and knows nothing of what came later."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from apps.evaluation import backtest
from apps.evaluation.backtest import limits, scored
from apps.scorer.settings import Settings
from tests.unit.apps.support.graded_past import days_of, walks
from tests.unit.apps.support.stage_process import BATCH, run_stage

SESSIONS = 400


@pytest.fixture(scope="module")
def closes():
    return walks(6, SESSIONS)


def scores(closes, every=7):
    return scored(closes, days_of(closes), every, Settings(), "").with_columns(pl.col("symbol").cast(str))


def test_the_scorer_itself_had_scored_each_session_like_that(closes, tmp_path):
    """The stage's own process, on the prices as they were then."""
    found = scores(closes)
    for session in (SESSIONS - 1, SESSIONS - 1 - 7 * 10):
        path = tmp_path / str(session) / "prices" / BATCH / "prices.parquet"
        path.parent.mkdir(parents=True)
        until = closes.filter(pl.col("s") <= session).drop("s").with_columns(pl.col("symbol").cast(str))
        until.write_parquet(path)
        done = run_stage("scorer", tmp_path / str(session))
        assert done.returncode == 0, done.stderr
        columns = ["symbol", "score", "momentum", "value", "quality"]
        then = pl.read_parquet(path.with_name("scores.parquet"), glob=False).select(columns)
        assert_frame_equal(found.filter(s=session).select(columns), then)


def knows_the_future(closes, cut=SESSIONS - 60):
    """Whether scores of the past change with what came later."""
    later = pl.when(pl.col("s") > cut).then(pl.col("close") * (pl.col("s") % 5 + 1))
    changed = closes.with_columns(later.otherwise(pl.col("close")).alias("close"))
    until = pl.col("s") <= cut
    return not scores(closes).filter(until).equals(scores(changed).filter(until))


def test_what_came_later_changes_no_score(closes):
    assert scores(closes).height > 100
    assert not knows_the_future(closes)


def test_a_look_ahead_that_is_planted_is_caught(closes, monkeypatch):
    monkeypatch.setattr(backtest, "pl", Peeking(pl))
    assert knows_the_future(closes)


class Peeking:
    """polars, by which each session is given the closes of the next five."""

    def __init__(self, library):
        self.library = library

    def __getattr__(self, name):
        return getattr(self.library, name)

    def col(self, name):
        return self.library.col(name) - 5 if name == "s" else self.library.col(name)


def test_a_symbol_that_is_no_longer_traded_leaves_the_ranking(closes):
    halted = closes.filter((pl.col("symbol") != "S002") | (pl.col("s") < SESSIONS - 20))
    found = scores(halted)
    assert "S002" not in found.filter(s=SESSIONS - 1)["symbol"].to_list()
    assert "S002" in found.filter(s=SESSIONS - 1 - 21)["symbol"].to_list()


def test_a_short_history_has_no_gradings():
    assert scores(walks(3, 252)).is_empty()
    assert scores(walks(3, 253)).height == 3


def test_it_says_what_it_cannot_know():
    assert "left the market" in limits(None)[0]
    assert any("costs" in limit for limit in limits(None))


def test_a_symbol_belongs_to_the_universe_on_its_days_alone(closes):
    """It has prices on all of them."""
    left = days_of(closes).days[-30]
    universe = pl.DataFrame(
        {"symbol": ["S002"], "sector": ["Energy"], "from": [closes["date"][0]], "to": [left]}
    ).with_columns(pl.col("symbol").cast(closes.schema["symbol"]))
    found = scored(closes, days_of(closes), 7, Settings(), "", universe)
    held = {s: set(part["symbol"].cast(str)) for (s,), part in found.group_by("s")}
    assert "S002" not in held[SESSIONS - 1]
    assert "S002" in held[SESSIONS - 1 - 35]
    assert held[SESSIONS - 1] | {"S002"} == held[SESSIONS - 1 - 35]
    assert "universe.csv" in limits(universe)[0]
