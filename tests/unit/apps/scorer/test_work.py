"""The scorer stage as the orchestrator runs it: a process, its file, its result and its exit status."""

import hashlib
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from apps.scorer.features import FEATURES
from tests.unit.apps.support.stage_process import BATCH, result, run_stage

END = date(2026, 11, 20)
SCHEMA = {"symbol": pl.String, "date": pl.Date, "close": pl.Float64}


def closes(symbol: str, days: int, growth: float = 1.001, end: date = END) -> pl.DataFrame:
    dates = pl.date_range(end - timedelta(days=days - 1), end, eager=True)
    values = [100 * growth**day * (1.01 if day % 2 else 1.0) for day in range(days)]
    return pl.DataFrame({"symbol": symbol, "date": dates, "close": values}, schema_overrides=SCHEMA)


@pytest.fixture
def prices(tmp_path) -> Path:
    """Path of the batch's prices: A and B long, NEW a year, YOUNG too short, HALTED stale by 11 days."""
    path = tmp_path / "prices" / BATCH / "prices.parquet"
    path.parent.mkdir(parents=True)
    halted = closes("HALTED", 1300, end=END - timedelta(days=11))
    parts = [closes("A", 1300), closes("B", 1300, 0.999), halted, closes("NEW", 300), closes("YOUNG", 251)]
    pl.concat(parts).write_parquet(path)
    return path


def test_scores_of_a_batch(tmp_path, prices):
    done = run_stage("scorer", tmp_path)
    assert done.returncode == 0, done.stderr
    output = prices.with_name("scores.parquet")
    table = pl.read_parquet(output, glob=False)
    assert table.schema == {
        "symbol": pl.String,
        **dict.fromkeys(("momentum", "value", "quality", "score"), pl.Float64),
        "as_of": pl.Date,
        "last_day": pl.Date,
        "sessions_behind": pl.Int32,
        **{f"{name}_signal": pl.Float64 for name in FEATURES},
    }
    assert table["symbol"].to_list() == ["A", "B", "NEW"]
    assert table["value"].to_list() == [25.0, 75.0, None]
    assert table["as_of"].unique().to_list() == [END]
    got = result("scorer", tmp_path)
    assert (got["rows"], got["symbols"], got["as_of"]) == (3, 3, "2026-11-20")
    assert got["outputs"] == [f"prices/{BATCH}/scores.parquet"]
    assert got["checksum"] == "sha256:" + hashlib.sha256(output.read_bytes()).hexdigest()
    counts = {"left_out": 1, "stale": 1, "behind": 0, "complete": 2}
    assert got["details"] == {
        **counts,
        "min_score": table["score"].min(),
        "max_score": table["score"].max(),
    }
    assert "left out, stale (1): HALTED" in done.stdout
    assert "left out, without enough history (1): YOUNG" in done.stdout


def test_a_repeated_batch_has_the_same_outcome(tmp_path, prices):
    assert run_stage("scorer", tmp_path).returncode == 0
    once = result("scorer", tmp_path), prices.with_name("scores.parquet").read_bytes()
    assert run_stage("scorer", tmp_path).returncode == 0
    assert (result("scorer", tmp_path), prices.with_name("scores.parquet").read_bytes()) == once


def test_stale_days_is_a_setting(tmp_path, prices):
    assert run_stage("scorer", tmp_path, SCORER_STALE_DAYS="11").returncode == 0
    assert result("scorer", tmp_path)["details"]["stale"] == 0


@pytest.mark.parametrize("text", ["ten", "-1", "1.5"])
def test_a_bad_setting_is_named(tmp_path, prices, text):
    done = run_stage("scorer", tmp_path, SCORER_STALE_DAYS=text)
    assert done.returncode == 78
    assert f"SCORER_STALE_DAYS={text!r}: Input should be " in done.stderr


NYSE = {"RANKALPHA_CALENDAR": "XNYS"}
AFTER_THANKSGIVING = date(2026, 11, 27)  # END, a Friday, is four sessions before it


def marks(data: Path) -> dict[str, tuple[date, int | None]]:
    """The last day of each scored symbol's prices, and its sessions behind."""
    table = pl.read_parquet(data / "prices" / BATCH / "scores.parquet", glob=False)
    assert table["as_of"].unique().to_list() == [AFTER_THANKSGIVING]
    return {row["symbol"]: (row["last_day"], row["sessions_behind"]) for row in table.to_dicts()}


def add(prices: Path, *tables: pl.DataFrame) -> None:
    pl.concat([pl.read_parquet(prices, glob=False), *tables]).sort("symbol", "date").write_parquet(prices)


def test_a_symbol_that_is_behind_is_marked_and_counted(tmp_path, prices):
    thanksgiving = date(2026, 11, 26)
    add(prices, closes("NEWEST", 300, end=AFTER_THANKSGIVING), closes("YESTERDAY", 300, end=thanksgiving))
    done = run_stage("scorer", tmp_path, **NYSE)
    assert done.returncode == 0, done.stderr
    four = dict.fromkeys(("A", "B", "NEW"), (END, 4))  # Monday, Tuesday, Wednesday, Friday
    others = {"NEWEST": (AFTER_THANKSGIVING, 0), "YESTERDAY": (thanksgiving, 1)}
    assert marks(tmp_path) == four | others
    details = result("scorer", tmp_path)["details"]
    assert (details["behind"], details["stale"], details["complete"]) == (4, 1, 2)
    assert "scored by older prices (4): A, B, NEW, YESTERDAY" in done.stdout


@pytest.mark.parametrize(("limit", "stale"), [("4", 1), ("3", 5)])
def test_a_symbol_is_left_out_after_a_limit_in_sessions(tmp_path, prices, limit, stale):
    add(prices, closes("NEWEST", 300, end=AFTER_THANKSGIVING))
    done = run_stage("scorer", tmp_path, SCORER_STALE_SESSIONS=limit, SCORER_STALE_DAYS="0", **NYSE)
    assert done.returncode == 0, done.stderr
    assert result("scorer", tmp_path)["details"]["stale"] == stale


def test_without_an_exchange_days_count(tmp_path, prices):
    add(prices, closes("NEWEST", 300, end=AFTER_THANKSGIVING))
    assert run_stage("scorer", tmp_path, SCORER_STALE_DAYS="7", SCORER_STALE_SESSIONS="0").returncode == 0
    assert marks(tmp_path)["A"] == (END, None)
    details = result("scorer", tmp_path)["details"]
    assert (details["behind"], details["stale"]) == (3, 1)


def test_the_same_prices_have_the_same_scores_whatever_the_batch(tmp_path, prices):
    """A batch without a new session may then take over the scores of the batch before."""
    later = "2026-11-22T06:00:00"
    target = tmp_path / "prices" / later
    target.mkdir()
    (target / "prices.parquet").hardlink_to(prices)
    for batch in (BATCH, later):
        assert run_stage("scorer", tmp_path, batch, **NYSE).returncode == 0
    assert prices.with_name("scores.parquet").read_bytes() == (target / "scores.parquet").read_bytes()
