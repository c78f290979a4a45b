"""The scorer refuses bad prices: exit status, one line on stderr, nothing written."""

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from tests.unit.apps.support.stage_process import BATCH, run_stage

END = date(2026, 11, 20)


@pytest.fixture
def prices(tmp_path) -> Path:
    """Path of good prices: A and B of 300 days, YOUNG of 251."""
    path = tmp_path / "prices" / BATCH / "prices.parquet"
    path.parent.mkdir(parents=True)
    rows = [
        (symbol, END - timedelta(days=days - 1 - day), 100.0 + day % 7)
        for symbol, days in (("A", 300), ("B", 300), ("YOUNG", 251))
        for day in range(days)
    ]
    pl.DataFrame(rows, schema=["symbol", "date", "close"], orient="row").write_parquet(path)
    assert run_stage("scorer", tmp_path).returncode == 0
    for written in (path.with_name("scores.parquet"), *tmp_path.glob("*.json")):
        written.unlink()
    return path


def spoil(prices: Path, how: str) -> None:
    table = pl.read_parquet(prices, glob=False)
    null = pl.lit(None)
    long_ago = pl.lit(-5_000_000, pl.Int32).cast(pl.Date)
    spoilt = {
        "nothing": table.clear(),
        "other columns": table.rename({"close": "price"}),
        "other types": table.with_columns(pl.col("date").cast(pl.String)),
        "a null close": table.with_columns(close=pl.when(pl.col("date") < END).then("close")),
        "a zero close": table.with_columns(close=pl.when(pl.col("date") < END).then("close").otherwise(0.0)),
        "a null symbol": table.with_columns(
            symbol=pl.when(pl.col("symbol") != "B").then("symbol").otherwise(null)
        ),
        "a senseless date": table.with_columns(
            date=pl.when(pl.int_range(pl.len()) > 0).then("date").otherwise(long_ago)
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
        ("a null close", "has bad closes, or days that are bad or out of order"),
        ("a zero close", "has bad closes, or days that are bad or out of order"),
        ("a null symbol", "None has bad closes, or days that are bad or out of order"),
        ("a senseless date", "has bad closes, or days that are bad or out of order"),
        ("reversed", "has bad closes, or days that are bad or out of order"),
        ("twice", "has bad closes, or days that are bad or out of order"),
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
        tmp_path, prices, "missing; run the ingestion stage again for this batch, which makes this file"
    )


def assert_bad_data(data: Path, prices: Path, message: str) -> None:
    done = run_stage("scorer", data)
    assert done.returncode == 65, done.stderr
    assert done.stderr.startswith(f"scorer: {prices}: ")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert {path.name for path in prices.parent.iterdir()} <= {"prices.parquet"}
    assert not list(data.glob("*.json"))
