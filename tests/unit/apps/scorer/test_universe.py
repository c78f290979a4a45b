"""universe.csv in the scorer: who belongs to the universe, and sectors that do not count."""

import polars as pl
import pytest

from apps.common.manifest import seal
from apps.common.versions import Changed, Version
from apps.scorer.universe import listed
from tests.unit.apps.scorer.test_work import END, closes
from tests.unit.apps.support.stage_process import BATCH, result, run_stage

NEUTRAL = {"SCORER_SECTOR_NEUTRAL": "true"}


@pytest.fixture
def prices(tmp_path):
    path = tmp_path / "prices" / BATCH / "prices.parquet"
    path.parent.mkdir(parents=True)
    growth = {"A": 1.004, "B": 1.003, "C": 1.002, "D": 1.001}
    pl.concat([closes(symbol, 300, each) for symbol, each in growth.items()]).write_parquet(path)
    return path


def write(prices, *lines: str) -> None:
    prices.with_name("universe.csv").write_text("\n".join(("symbol,name,sector,from,to", *lines)) + "\n")


def scores(prices) -> pl.DataFrame:
    return pl.read_parquet(prices.with_name("scores.parquet"), glob=False)


def test_a_symbol_that_has_left_is_not_scored(tmp_path, prices):
    write(prices, f"A,Alpha,Tech,,{END}", "B,Beta,Tech,,2026-11-19", "C,Gamma,,2026-11-21,")
    done = run_stage("scorer", tmp_path)
    assert done.returncode == 0, done.stderr
    assert scores(prices)["symbol"].to_list() == ["A", "D"]  # D is not listed at all
    assert result("scorer", tmp_path)["details"]["outside"] == 2
    assert "outside the universe (2): B, C" in done.stdout


def test_sectors_that_do_not_count(tmp_path, prices):
    write(prices, "A,Alpha,Tech,,", "B,Beta,Tech,,", "C,Gamma,Oil,,")
    assert run_stage("scorer", tmp_path).returncode == 0
    assert "peers" not in scores(prices).columns
    assert scores(prices)["momentum"].to_list() == [87.5, 62.5, 37.5, 12.5]
    assert run_stage("scorer", tmp_path, **NEUTRAL).returncode == 0
    assert scores(prices)["peers"].to_list() == ["Tech", "Tech", "Oil", None]
    assert scores(prices)["momentum"].to_list() == [75.0, 25.0, 50.0, 50.0]
    assert scores(prices)["momentum_signal"].is_sorted(descending=True)


def test_neutral_sectors_need_sectors(tmp_path, prices):
    done = run_stage("scorer", tmp_path, **NEUTRAL)
    assert done.returncode == 78
    assert "add universe.csv" in done.stderr


def test_a_file_that_cannot_be_used(tmp_path, prices):
    write(prices, "A,Alpha,Tech,,2026-11-20", "A,Alfa,Tech,2026-11-20,")
    done = run_stage("scorer", tmp_path)
    assert done.returncode == 65
    assert "universe.csv: line 3, symbol A: its dates overlap" in done.stderr


def test_a_file_that_was_published_and_is_gone_is_not_taken_for_none(prices):
    """Or symbols that have left would be scored, and nobody would know."""
    write(prices, "A,Alpha,Tech,,")
    version = prices.parent / "v-1"
    version.mkdir()
    for name in ("prices.parquet", "universe.csv"):
        prices.with_name(name).rename(version / name)
    sealed = seal(version, f"prices/{BATCH}/v-1", "ingestion", {})
    assert listed(Version(version, sealed.sha256), sector_neutral=False).height == 1
    (version / "universe.csv").unlink()
    with pytest.raises(Changed, match=r"universe\.csv: missing"):
        listed(Version(version, sealed.sha256), sector_neutral=False)
