"""The scorer stage as the orchestrator runs it: a process, its file, its result and its exit status."""

import hashlib
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

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
    }
    assert table["symbol"].to_list() == ["A", "B", "NEW"]
    assert table["value"].to_list() == [25.0, 75.0, None]
    assert table["as_of"].unique().to_list() == [END]
    got = result("scorer", tmp_path)
    assert (got["rows"], got["symbols"], got["as_of"]) == (3, 3, "2026-11-20")
    assert got["outputs"] == [f"prices/{BATCH}/scores.parquet"]
    assert got["checksum"] == "sha256:" + hashlib.sha256(output.read_bytes()).hexdigest()
    counts = {"left_out": 1, "stale": 1, "complete": 2}
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
