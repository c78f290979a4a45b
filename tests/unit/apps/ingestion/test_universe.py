"""universe.csv in the ingestion stage: it becomes a part of the batch's prices."""

from pathlib import Path

import pytest

from apps.ingestion.universe import SAMPLE
from tests.unit.apps.support.stage_process import BATCH, result, run_stage

HEAD = "symbol,name,sector,from,to\n"
CSV = {"INGESTION_SOURCE": "csv"}


@pytest.fixture
def prices(tmp_path: Path) -> Path:
    """The folder of the prices, with files of two symbols."""
    folder = tmp_path / "prices"
    (folder / "csv").mkdir(parents=True)
    for symbol in ("KO", "XOM"):
        (folder / "csv" / f"{symbol}.csv").write_text("date,close\n2026-11-18,10\n2026-11-19,11\n")
    return folder


def test_without_the_file_nothing_is_said_of_it(tmp_path: Path, prices: Path) -> None:
    done = run_stage("ingestion", tmp_path, **CSV)
    assert done.returncode == 0, done.stderr
    assert not (prices / BATCH / "universe.csv").exists()
    assert "unlisted" not in result("ingestion", tmp_path)["details"]


def test_the_file_is_taken_and_compared_with_the_prices(tmp_path: Path, prices: Path) -> None:
    text = f"{HEAD}KO,Coca-Cola,Food,,\nOLD,Old,Food,,2020-01-01\nNEW,New,Food,,\n"
    (prices / "universe.csv").write_text(text)
    done = run_stage("ingestion", tmp_path, **CSV)
    assert done.returncode == 0, done.stderr
    assert (prices / BATCH / "universe.csv").read_text() == text
    got = result("ingestion", tmp_path)
    assert got["outputs"][-1] == f"prices/{BATCH}/universe.csv"
    assert (got["details"]["unlisted"], got["details"]["unknown"]) == (1, 1)
    assert "without a line for this day, though they have prices (1): XOM" in done.stdout
    assert "listed, but without prices (1): NEW" in done.stdout


def test_a_changed_file_is_taken_although_no_price_is_new(tmp_path: Path, prices: Path) -> None:
    later = "2026-11-20T07:00:00"
    for key, name in ((BATCH, "Coca-Cola"), (later, "Coke")):
        (prices / "universe.csv").write_text(f"{HEAD}KO,{name},Food,,\nXOM,Exxon,Oil,,\n")
        assert run_stage("ingestion", tmp_path, key, **CSV).returncode == 0
    assert "Coke" in (prices / later / "universe.csv").read_text()


def test_overlapping_dates_end_the_stage(tmp_path: Path, prices: Path) -> None:
    (prices / "universe.csv").write_text(f"{HEAD}KO,Coke,Food,,2020-01-01\nKO,Coca-Cola,Food,2020-01-01,\n")
    done = run_stage("ingestion", tmp_path, **CSV)
    assert done.returncode == 65
    assert "universe.csv: line 3, symbol KO: its dates overlap" in done.stderr


def test_the_sample_has_its_own(tmp_path: Path) -> None:
    done = run_stage("ingestion", tmp_path, INGESTION_SYMBOLS="KO,XOM")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "prices" / BATCH / "universe.csv").read_bytes() == SAMPLE.read_bytes()
    assert "warning" not in done.stdout
