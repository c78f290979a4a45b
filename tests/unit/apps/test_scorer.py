"""The scorer stage as the orchestrator runs it: a process, its file, its result and its exit status."""

import hashlib
import json
import os
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

ROOT = Path(__file__).parents[3]
BATCH = "2026-11-22T06:00:00"
END = date(2026, 11, 20)
SCHEMA = {"symbol": pl.String, "date": pl.Date, "close": pl.Float64}


def score(data: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "RANKALPHA_DATA_DIR": str(data)}
    environment |= {"RANKALPHA_BATCH": BATCH, "RANKALPHA_RESULT": str(data / "result.json")}
    command = [sys.executable, "apps/scorer/main.py"]
    return subprocess.run(
        command,
        cwd=ROOT,
        env=environment | settings,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


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
    done = score(tmp_path)
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
    result = json.loads((tmp_path / "result.json").read_text())
    assert (result["rows"], result["symbols"], result["as_of"]) == (3, 3, "2026-11-20")
    assert result["outputs"] == [f"prices/{BATCH}/scores.parquet"]
    assert result["checksum"] == "sha256:" + hashlib.sha256(output.read_bytes()).hexdigest()
    assert result["details"] == {"left_out": 1, "stale": 1, "complete": 2}
    assert "1 symbols left out, stale: HALTED" in done.stdout
    assert "1 symbols left out, without enough history: YOUNG" in done.stdout


def test_a_repeated_batch_has_the_same_outcome(tmp_path, prices):
    assert score(tmp_path).returncode == 0
    once = (tmp_path / "result.json").read_text(), prices.with_name("scores.parquet").read_bytes()
    assert score(tmp_path).returncode == 0
    assert ((tmp_path / "result.json").read_text(), prices.with_name("scores.parquet").read_bytes()) == once


def test_stale_days_is_a_setting(tmp_path, prices):
    assert score(tmp_path, SCORER_STALE_DAYS="11").returncode == 0
    assert json.loads((tmp_path / "result.json").read_text())["details"]["stale"] == 0


@pytest.mark.parametrize("text", ["ten", "-1", "1.5"])
def test_a_bad_setting_is_named(tmp_path, prices, text):
    done = score(tmp_path, SCORER_STALE_DAYS=text)
    assert done.returncode == 78
    assert f"SCORER_STALE_DAYS={text!r} must be a whole number of days" in done.stderr


def spoil(prices: Path, how: str) -> None:
    table = pl.read_parquet(prices, glob=False)
    null = pl.lit(None)
    spoilt = {
        "nothing": table.clear(),
        "other columns": table.rename({"close": "price"}),
        "other types": table.with_columns(pl.col("date").cast(pl.String)),
        "a null close": table.with_columns(close=pl.when(pl.col("date") < END).then("close")),
        "a zero close": table.with_columns(close=pl.when(pl.col("date") < END).then("close").otherwise(0.0)),
        "a null symbol": table.with_columns(
            symbol=pl.when(pl.col("symbol") != "B").then("symbol").otherwise(null)
        ),
        "reversed": table.reverse(),
        "twice": pl.concat([table, table]),
        "short": table.filter(pl.col("symbol") == "YOUNG"),
    }
    spoilt[how].write_parquet(prices)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("nothing", "holds no prices; run the ingestion stage again"),
        ("other columns", "columns are"),
        ("other types", "columns are"),
        ("a null close", "has a bad close or days out of order"),
        ("a zero close", "has a bad close or days out of order"),
        ("a null symbol", "None has a bad close or days out of order"),
        ("reversed", "has a bad close or days out of order"),
        ("twice", "has a bad close or days out of order"),
        ("short", "no symbol has the 252 days that a score needs"),
    ],
)
def test_bad_prices_are_named_and_leave_nothing_behind(tmp_path, prices, how, message):
    spoil(prices, how)
    assert_bad_data(tmp_path, prices, message)


@pytest.mark.parametrize("content", [b"", b"no parquet", None])
def test_unreadable_prices_are_named(tmp_path, prices, content):
    whole = prices.read_bytes()
    prices.write_bytes(whole[: len(whole) // 2] if content is None else content)
    assert_bad_data(tmp_path, prices, "corrupt (")


def test_damage_inside_the_file_is_bad_data(tmp_path, prices):
    whole = bytearray(prices.read_bytes())
    whole[100:400] = bytes(300)
    prices.write_bytes(whole)
    assert_bad_data(tmp_path, prices, "run the ingestion stage again")


def test_missing_prices_name_the_stage_that_makes_them(tmp_path, prices):
    prices.unlink()
    assert_bad_data(
        tmp_path, prices, "missing; run the ingestion stage again for this batch, it makes this file"
    )


def assert_bad_data(data: Path, prices: Path, message: str) -> None:
    done = score(data)
    assert done.returncode == 65, done.stderr
    assert done.stderr.startswith(f"scorer: {prices}: ")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert {path.name for path in prices.parent.iterdir()} <= {"prices.parquet"}
    assert not (data / "result.json").exists()
