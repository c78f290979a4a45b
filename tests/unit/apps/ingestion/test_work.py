"""The ingestion stage as the orchestrator runs it: a process, its files, its result and its exit status."""

import hashlib
import json
import os
import re
import time
from pathlib import Path

import polars as pl
import pytest

from apps.common.parquet import NOTICE
from tests.unit.apps.support.stage_process import ROOT, Ended, result, run_stage

SAMPLE = ROOT / "apps/ingestion/sample"
FILES = ("prices.parquet", "appearances.json", "universe.csv")
FIRST, SECOND, THIRD = (f"2026-11-{day}T06:00:00" for day in (20, 21, 22))


def ingest(data: Path, batch: str = FIRST, **settings: str) -> Ended:
    return run_stage("ingestion", data, batch, **settings)


def report(data: Path, batch: str = FIRST) -> dict:
    return result("ingestion", data, batch)


def files(data: Path) -> set[str]:
    return {path.name for path in (data / "prices").rglob("*") if path.is_file()}


def write_csv(folder: Path, symbol: str, *lines: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{symbol}.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_sample_is_the_file_of_its_readme():
    readme = (SAMPLE / "README.md").read_text()
    digest = hashlib.sha256((SAMPLE / "sp500_dataset.csv.gz").read_bytes()).hexdigest()
    assert re.findall(r"\b[0-9a-f]{64}\b", readme) == [digest]


def test_first_batch_of_the_sample(tmp_path):
    done = ingest(tmp_path, RANKALPHA_CALENDAR="XNYS")
    assert done.returncode == 0, done.stderr
    notice = "sample: prices of 2016-11-17 under the date of 2026-11-19"
    assert notice in done.stdout
    got = report(tmp_path)
    prices = tmp_path / "prices" / FIRST / "prices.parquet"
    table = pl.read_parquet(prices, glob=False)
    assert table.schema == {"symbol": pl.String, "date": pl.Date, "close": pl.Float64}
    assert (got["rows"], got["symbols"], got["as_of"]) == (table.height, 20, "2026-11-19")
    assert got["outputs"] == [f"prices/{FIRST}/{name}" for name in FILES]
    assert got["checksum"] == "sha256:" + hashlib.sha256(prices.read_bytes()).hexdigest()
    assert got["details"]["source"] == pl.read_parquet_metadata(prices)[NOTICE] == notice
    assert got["details"]["replayed"] is True
    assert got["details"]["new_rows"] == table.height
    listed = json.loads(prices.with_name("appearances.json").read_text())
    assert listed["as_of"] == "2026-11-19"
    assert len({row["screener"] for row in listed["appearances"]}) >= 6
    assert {row["style"] for row in listed["appearances"]} == {"momentum", "value", "quality"}


def test_nothing_new_links_the_earlier_snapshot_and_a_repeated_batch_has_the_same_outcome(tmp_path):
    assert ingest(tmp_path, SECOND).returncode == 0
    assert ingest(tmp_path, THIRD).returncode == 0
    once = report(tmp_path, THIRD)
    assert ingest(tmp_path, THIRD).returncode == 0
    assert report(tmp_path, THIRD) == once
    assert (once["details"]["new_rows"], once["details"]["reused"]) == (0, True)
    inodes = {(tmp_path / "prices" / batch / "prices.parquet").stat().st_ino for batch in (SECOND, THIRD)}
    assert len(inodes) == 1
    assert files(tmp_path) == set(FILES)


def test_a_batch_made_up_for_does_not_continue_a_later_one(tmp_path):
    assert ingest(tmp_path, SECOND).returncode == 0
    assert ingest(tmp_path, FIRST, INGESTION_SYMBOLS="KO").returncode == 0
    got = report(tmp_path, FIRST)
    assert got["details"]["new_rows"] == got["rows"]


def test_a_past_batch_sees_no_later_prices(tmp_path):
    assert ingest(tmp_path, "2008-10-10T06:00:00", INGESTION_SYMBOLS="jpm, BAC").returncode == 0
    got = report(tmp_path, "2008-10-10T06:00:00")
    assert (got["as_of"], got["symbols"]) == ("2008-10-09", 2)


def test_csv_batches_bring_only_what_is_new_or_revised(tmp_path):
    folder = tmp_path / "csv"
    csv = {"INGESTION_SOURCE": "csv", "INGESTION_CSV_DIR": str(folder)}
    lines = ["date,close", "2026-11-17,10.0", "2026-11-18,11.0", "2026-11-19,12.0"]
    write_csv(folder, "AAA", *lines)
    assert ingest(tmp_path, FIRST, **csv).returncode == 0
    write_csv(folder, "AAA", lines[0], "2026-11-17,10.5", *lines[2:], "2026-11-20,13.0", "2026-11-30,9.0")
    write_csv(folder, "BBB", "volume,close,date", "7,5e1,2026-11-20")
    assert ingest(tmp_path, SECOND, **csv).returncode == 0
    assert report(tmp_path, SECOND)["details"]["new_rows"] == 3
    table = pl.read_parquet(tmp_path / "prices" / SECOND / "prices.parquet", glob=False)
    assert table["close"].to_list() == [10.5, 11.0, 12.0, 13.0, 50.0]  # 30 November is after the batch
    assert table["symbol"].to_list() == ["AAA"] * 4 + ["BBB"]


def unchanged_folder(tmp_path: Path) -> dict[str, str]:
    """A folder of CSV files that were written a minute ago; one of them is bad."""
    folder = tmp_path / "csv"
    for symbol in ("AAA", "BBB"):
        write_csv(folder, symbol, "date,close", "2026-11-18,10.0", "2026-11-19,11.0")
    write_csv(folder, "BAD", "date,close", "2026-11-18,ten")
    age(folder, 60)
    return {"INGESTION_SOURCE": "csv", "INGESTION_CSV_DIR": str(folder)}


def age(folder: Path, seconds: float) -> None:
    for path in folder.iterdir():
        os.utime(path, (time.time() - seconds,) * 2)


TAKEN_OVER = "nothing is new since the batch before, whose files are taken over"


def test_an_unchanged_folder_is_taken_over_with_all_that_is_to_be_said_of_it(tmp_path):
    csv = unchanged_folder(tmp_path)
    assert TAKEN_OVER not in ingest(tmp_path, FIRST, **csv).stdout
    done = ingest(tmp_path, SECOND, **csv)
    assert TAKEN_OVER in done.stdout, done.stderr
    first, second = report(tmp_path, FIRST), report(tmp_path, SECOND)
    assert second["outputs"] == [path.replace(FIRST, SECOND) for path in first["outputs"]]
    assert second["details"] == first["details"] | {"new_rows": 0, "reused": True}
    assert second["details"]["missing_faulty"] == 1
    assert {key: second[key] for key in ("rows", "symbols", "as_of", "checksum")} == {
        key: first[key] for key in ("rows", "symbols", "as_of", "checksum")
    }
    for name in ("prices.parquet", "appearances.json", "changes.json"):
        one, other = (tmp_path / "prices" / batch / name for batch in (FIRST, SECOND))
        assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize(
    "change", ["file", "new file", "removed", "setting", "damage", "no memo", "later day", "just written"]
)
def test_whatever_changes_is_seen(tmp_path, change):
    csv = unchanged_folder(tmp_path)
    folder = tmp_path / "csv"
    if change == "later day":
        write_csv(folder, "AAA", "date,close", "2026-11-18,10.0", "2026-11-21,11.0")
        age(folder, 60)
    if change == "just written":
        age(folder, 0)
    assert ingest(tmp_path, FIRST, **csv).returncode == 0
    first = tmp_path / "prices" / FIRST
    if change == "file":
        write_csv(folder, "AAA", "date,close", "2026-11-18,10.0", "2026-11-19,11.5")
    if change == "new file":
        write_csv(folder, "CCC", "date,close", "2026-11-18,10.0")
    if change == "removed":
        (folder / "BBB.csv").unlink()
    if change == "setting":
        csv["SCREENER_TOP"] = "1"
    if change == "damage":
        (first / "prices.parquet").write_bytes(b"damaged")
    if change == "no memo":
        (first / "memo.json").write_text("{")
    done = ingest(tmp_path, SECOND, **csv)
    assert done.returncode == 0, done.stderr
    assert TAKEN_OVER not in done.stdout


def test_a_corrupt_earlier_snapshot_is_skipped_with_a_warning(tmp_path):
    assert ingest(tmp_path, FIRST).returncode == 0
    assert ingest(tmp_path, SECOND, INGESTION_SYMBOLS="KO").returncode == 0
    corrupt = tmp_path / "prices" / SECOND / "prices.parquet"
    corrupt.write_bytes(corrupt.read_bytes()[:-100])
    done = ingest(tmp_path, THIRD)
    assert done.returncode == 0, done.stderr
    assert f"warning: {corrupt} is corrupt and skipped" in done.stdout
    assert report(tmp_path, THIRD)["details"]["new_rows"] == 20  # a day since the first


def test_old_batches_are_pruned_but_never_the_newest(tmp_path):
    other = tmp_path / "prices" / "notes"
    other.mkdir(parents=True)
    for batch, symbol in ((FIRST, "KO"), (SECOND, "PG"), (THIRD, "KO")):
        two = {"INGESTION_KEEP_BATCHES": "2", "INGESTION_SYMBOLS": symbol}
        assert ingest(tmp_path, batch, **two).returncode == 0
    assert {path.name for path in (tmp_path / "prices").iterdir()} == {SECOND, THIRD, "notes"}
    one = {"INGESTION_KEEP_BATCHES": "1", "INGESTION_SYMBOLS": "KO"}
    assert ingest(tmp_path, FIRST, **one).returncode == 0  # an old day is made up for
    assert {path.name for path in (tmp_path / "prices").iterdir()} == {FIRST, SECOND, THIRD, "notes"}
    assert ingest(tmp_path, THIRD, **one).returncode == 0
    assert {path.name for path in (tmp_path / "prices").iterdir()} == {THIRD, "notes"}


def test_batches_with_nothing_new_do_not_push_out_others(tmp_path):
    for hour, symbol in enumerate(("KO", "KO", "PG", "PG")):
        symbols = {"INGESTION_SYMBOLS": symbol, "INGESTION_KEEP_BATCHES": "2"}
        assert ingest(tmp_path, f"2026-11-21T{hour:02}:00:00", **symbols).returncode == 0
    assert len(list((tmp_path / "prices").iterdir())) == 4
    last = {"INGESTION_SYMBOLS": "KO", "INGESTION_KEEP_BATCHES": "2"}
    assert ingest(tmp_path, "2026-11-22T00:00:00", **last).returncode == 0
    assert {path.name[8:13] for path in (tmp_path / "prices").iterdir()} == {"21T02", "21T03", "22T00"}


def test_a_source_that_stands_still_does_not_fill_the_disk(tmp_path):
    one = {"INGESTION_SYMBOLS": "KO", "INGESTION_KEEP_BATCHES": "1"}
    for hour in range(12):
        assert ingest(tmp_path, f"2026-11-21T{hour:02}:00:00", **one).returncode == 0
    assert len(list((tmp_path / "prices").iterdir())) == 10
