"""The record of what was shown: what is written when, what counts, and what outlives what."""

import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest

from apps.api.batches import BatchFiles
from apps.api.history.folder import months
from apps.api.history.lock import alone
from apps.api.history.months import LISTED, SETS
from apps.api.history.rebuilding import rebuild
from apps.api.history.record import complete, is_recorded, record
from apps.common.parquet import write_parquet
from tests.support.waiting import wait_for
from tests.unit.apps.support.ranked_days import FIRST, SECOND, SIGNALS, THIRD, show


def ranks(client: httpx.Client, symbol: str) -> list[tuple[str, int]]:
    """The batches of a symbol's history with its ranks, oldest first."""
    answer = client.get(f"symbols/{symbol}/history").raise_for_status().json()
    return [(row["batch"], row["rank"]) for row in reversed(answer["history"])]


@contextmanager
def without_a_record(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Show grades as an API without a record does, or one whose disk is full."""
    with monkeypatch.context() as patched:
        patched.setattr("apps.api.publishing.record", lambda _: None)
        patched.setattr("apps.api.publishing.catch_up", lambda _: None)
        yield


def test_what_is_shown_is_recorded_once(client: httpx.Client, data: Path) -> None:
    answer = show(client, data, FIRST)
    assert "not_recorded" not in answer
    version = {name: answer["version"][name] for name in ("path", "sha256")}
    for _ in range(2):
        client.post("publish", json={"batch": FIRST, "version": version}).raise_for_status()
    (month,) = months(data)
    assert month.path.name == "2026-11.parquet"
    rows = pl.read_parquet(month.path)
    assert rows["symbol"].to_list() == sorted(SIGNALS)
    apple = rows.row(0, named=True)
    assert (apple["rank"], apple["grade"], apple["close"]) == (1, "A", 179.0)
    assert (apple["momentum_signal"], apple["trend_stability_signal"]) == (0.4, 0.9)
    assert apple["version"] == version["path"]


def test_a_batch_that_is_shown_again_counts_as_it_is_now(client: httpx.Client, data: Path) -> None:
    first = show(client, data, FIRST)
    show(client, data, FIRST, {"KO": (0.5, 0.5, -0.01, 0.5), "PG": (0.1, 0.1, -0.02, 0.1)}, number=2)
    assert ranks(client, "KO") == [(FIRST, 1)]
    assert client.get("symbols/AAPL/history").status_code == 404  # its rows are there, and do not count
    assert pl.read_parquet(months(data)[0].path).height == 6
    version = {name: first["version"][name] for name in ("path", "sha256")}
    client.post("publish", json={"batch": FIRST, "version": version}).raise_for_status()
    assert ranks(client, "AAPL") == [(FIRST, 1)]
    assert client.get("batches").json()["batches"][0]["symbols"] == 4


def test_it_outlives_batches_and_symbols(client: httpx.Client, data: Path) -> None:
    show(client, data, FIRST)
    show(client, data, SECOND, {symbol: raw for symbol, raw in SIGNALS.items() if symbol != "XOM"})
    for volume in ("prices", "company_reports", "grades"):
        shutil.rmtree(data / volume / FIRST)
    (data / "grades" / f"{FIRST}.json").unlink()
    assert ranks(client, "XOM") == [(FIRST, 4)]
    batches = client.get("batches").json()["batches"]
    assert [(each["batch"], each["kept"]) for each in batches] == [(SECOND, True), (FIRST, False)]
    old = client.get("symbols/XOM", params={"batch": FIRST}).raise_for_status().json()
    assert (old["rank"], old["prices"]) == (4, None)
    assert old["missing"] == ["prices: the files of this batch were removed"]


def test_grades_of_before_there_was_a_record_are_recorded_when_they_are_asked_for(
    client: httpx.Client, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with without_a_record(monkeypatch):
        show(client, data, FIRST)
    assert not (data / "grades" / "history").exists()
    assert ranks(client, "AAPL") == [(FIRST, 1)]


def test_a_kill_while_older_grades_are_recorded_loses_none(
    client: httpx.Client, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with without_a_record(monkeypatch):
        show(client, data, FIRST)
    keys = copies(data, 3)
    spawn = multiprocessing.get_context("spawn")
    killed = spawn.Process(target=_killed_while_writing, args=(complete, data))
    killed.start()
    killed.join(120)
    assert killed.exitcode == -signal.SIGKILL
    assert [batch for batch, _ in ranks(client, "AAPL")] == [FIRST, *keys]


def test_what_could_not_be_recorded_is_soon_after_the_next_batch(client: httpx.Client, data: Path) -> None:
    show(client, data, FIRST)
    (key,) = copies(data, 1)  # shown by an API of before there was a record, or on a full disk
    assert client.get("symbols/AAPL", params={"batch": key}).status_code == 404
    show(client, data, SECOND)
    assert [batch for batch, _ in ranks(client, "AAPL")] == [FIRST, SECOND, key]


def test_grades_of_an_older_form_are_recorded(client: httpx.Client, data: Path) -> None:
    show(client, data, FIRST)
    path = data / "grades" / f"{THIRD}.json"
    path.write_text(
        f'{{"batch": "{THIRD}", "as_of": "2026-11-25", "sentiment_weight": 0.2, "ungraded": [], "grades": ['
        '{"symbol": "KO", "rank": 1, "grade": "C", "composite": 74.0, "momentum": 80.0, "value": null,'
        ' "quality": null, "score": 80.0, "sentiment": null, "headlines": 0, "sparkline": [1.0, 2.0]}]}'
    )
    client.post("history/rebuild").raise_for_status()
    row = client.get("symbols/KO/history").json()["history"][0]
    assert (row["batch"], row["close"], row["version"], row["session"]) == (THIRD, 2.0, None, None)
    assert set(row["signals"].values()) == {None}


@pytest.mark.parametrize("damage", [b"", b"PAR1 nonsense PAR1", None])
def test_a_damaged_file_is_reported_and_rebuilt(
    client: httpx.Client, data: Path, caplog: pytest.LogCaptureFixture, damage: bytes | None
) -> None:
    show(client, data, FIRST)
    (month,) = months(data)
    whole = month.path.read_bytes()
    month.path.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    answer = client.get("batches")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert str(month.path) in answer.json()["detail"]
    assert "make rebuild-history" in answer.json()["detail"]
    shown = show(client, data, SECOND)  # all the same
    assert "make rebuild-history" in shown["not_recorded"]
    assert client.get("grades").json()["batch"] == SECOND
    rebuilt = client.post("history/rebuild").raise_for_status().json()
    assert rebuilt == {"recorded": [FIRST, SECOND], "damaged": ["2026-11.parquet.damaged"], "unread": []}
    assert ranks(client, "AAPL") == [(FIRST, 1), (SECOND, 1)]
    assert client.post("history/rebuild").json() == {"recorded": [], "damaged": [], "unread": []}


@pytest.mark.parametrize("place", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_a_single_changed_bit_is_no_grade(client: httpx.Client, data: Path, place: float) -> None:
    """Parquet itself would mostly read another number, and report nothing."""
    show(client, data, FIRST)
    path = months(data)[0].path
    whole = bytearray(path.read_bytes())
    whole[int(place * len(whole))] ^= 1
    path.write_bytes(whole)
    answer = client.get("symbols/AAPL/history")
    assert (answer.status_code, "make rebuild-history" in answer.json()["detail"]) == (500, True)
    assert client.post("history/rebuild").json()["recorded"] == [FIRST]


def test_each_damaged_file_is_kept(client: httpx.Client, data: Path) -> None:
    show(client, data, FIRST)
    path = months(data)[0].path
    for number in (1, 2, 3):
        path.write_text(f"damage {number}")
        client.post("history/rebuild").raise_for_status()
    assert sorted(each.read_text() for each in path.parent.glob("*.damaged*")) == [
        f"damage {number}" for number in (1, 2, 3)
    ]


def test_a_file_that_the_disk_does_not_give_out_is_left_where_it_is(client: httpx.Client, data: Path) -> None:
    """It may be whole, and hold batches that are nowhere else; a folder cannot be read by any user."""
    show(client, data, FIRST)
    path = months(data)[0].path
    path.rename(path.with_suffix(".whole"))
    path.mkdir()
    rebuilt = client.post("history/rebuild").raise_for_status().json()
    assert (rebuilt["damaged"], len(rebuilt["unread"])) == ([], 1)
    assert f"{path} cannot be read" in rebuilt["unread"][0]
    path.rmdir()
    path.with_suffix(".whole").rename(path)
    assert ranks(client, "AAPL") == [(FIRST, 1)]


def test_files_of_other_versions_of_the_record_are_read_and_kept(client: httpx.Client, data: Path) -> None:
    show(client, data, FIRST)
    (month,) = months(data)
    sets = {LISTED: SETS.dump_json(month.sets()).decode()}
    other = pl.read_parquet(month.path).drop("peers").with_columns(newer=pl.lit("x"))
    write_parquet(month.path, other, sets, sealed=True)
    assert ranks(client, "AAPL") == [(FIRST, 1)]
    assert "not_recorded" not in show(client, data, SECOND)
    assert ranks(client, "AAPL") == [(FIRST, 1), (SECOND, 1)]
    assert set(pl.read_parquet(month.path)["newer"]) == {"x", None}


def test_a_copy_under_another_key_is_not_of_that_batch(client: httpx.Client, data: Path) -> None:
    show(client, data, FIRST)
    shutil.copyfile(data / "grades" / f"{FIRST}.json", data / "grades" / f"{THIRD}.json")
    for _ in range(2):
        rebuilt = client.post("history/rebuild").raise_for_status().json()
        assert (rebuilt["recorded"], len(rebuilt["unread"])) == ([], 1)
    assert pl.read_parquet(months(data)[0].path).height == len(SIGNALS)


@pytest.mark.parametrize("fault", [ValueError("no day"), pl.exceptions.ComputeError("no"), MemoryError()])
def test_no_fault_of_the_record_keeps_grades_from_being_shown(
    client: httpx.Client, data: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def fails(*_: object) -> None:
        raise fault

    monkeypatch.setattr("apps.api.history.record.rows_of", fails)
    assert show(client, data, FIRST)["not_recorded"]
    assert client.get("grades").json()["batch"] == FIRST


def test_a_writer_that_does_not_end_delays_grades_for_moments_only(
    client: httpx.Client, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.api.history.record.PATIENCE", 0.1)
    show(client, data, FIRST)
    with alone(data, 1):
        answer = show(client, data, SECOND, settled=False)
        assert "another request" in answer["not_recorded"]
        assert client.get("grades").json()["batch"] == SECOND
    wait_for("the batch is recorded afterwards", lambda: ranks(client, "AAPL") == [(FIRST, 1), (SECOND, 1)])


@pytest.mark.parametrize("begun", [True, False])
def test_what_is_not_in_the_record_is_recorded_after_the_next_grading(
    client: httpx.Client, data: Path, monkeypatch: pytest.MonkeyPatch, begun: bool
) -> None:
    """As after an upgrade, also one that was cut off when the record had `begun`."""
    with without_a_record(monkeypatch):
        show(client, data, FIRST)
    if begun:
        (data / "grades" / "history").mkdir()
    show(client, data, SECOND)
    wait_for("both are recorded", lambda: ranks(client, "AAPL") == [(FIRST, 1), (SECOND, 1)])


def test_what_was_shown_otherwise_without_being_recorded_is_recorded_later(
    client: httpx.Client, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    show(client, data, FIRST)
    with without_a_record(monkeypatch):
        show(client, data, FIRST, {"KO": (0.5, 0.5, -0.01, 0.5)}, number=2)
    assert not is_recorded(BatchFiles(data, FIRST))
    show(client, data, SECOND)
    wait_for("the newer grades are recorded", lambda: ranks(client, "KO")[0] == (FIRST, 1))
    assert is_recorded(BatchFiles(data, FIRST))


def test_grades_stay_until_they_are_recorded(
    client: httpx.Client, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their prices are gone, so that nobody else needs them any more."""
    with without_a_record(monkeypatch):
        show(client, data, FIRST)
        kept = data / "grades" / f"{FIRST}.json"
        shutil.rmtree(data / "prices" / FIRST)
        show(client, data, SECOND)
        assert kept.exists()
    rebuild(data)
    show(client, data, THIRD)
    assert not kept.exists()
    assert ranks(client, "AAPL") == [(FIRST, 1), (SECOND, 1), (THIRD, 1)]


def test_a_disk_that_takes_nothing_keeps_no_grades_from_being_shown(
    client: httpx.Client, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    show(client, data, FIRST)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("polars.DataFrame.write_parquet", full)
    with monkeypatch.context():
        monkeypatch.setattr("tests.unit.apps.support.ranked_days.write_scored", lambda *_: None)
        path = data / "prices" / SECOND / "scores.parquet"
        path.parent.mkdir(parents=True)
        shutil.copyfile(next((data / "prices" / FIRST).glob("*/scores.parquet")), path)
        monkeypatch.setattr("tests.unit.apps.support.ranked_days.write_prices", _prices_of_first)
        answer = show(client, data, SECOND)
    assert "cannot be written" in answer["not_recorded"]
    assert client.get("grades").json()["batch"] == SECOND


def _prices_of_first(data: Path, _symbols: object, key: str) -> None:
    shutil.copyfile(
        next((data / "prices" / FIRST).glob("*/prices.parquet")), data / "prices" / key / "prices.parquet"
    )


def _record_all(root: Path, keys: list[str], start: object) -> None:
    start.wait()
    for key in keys:
        assert record(BatchFiles(root, key)) is None


def _killed_while_writing(record_it: Callable[[Any], Any], what: object) -> None:
    def half(_: pl.DataFrame, path: Path, **__: object) -> None:
        path.write_bytes(b"PAR1 half of it")
        os.kill(os.getpid(), signal.SIGKILL)

    pl.DataFrame.write_parquet = half
    record_it(what)


def copies(data: Path, number: int) -> list[str]:
    """Grades of more batches that are on the disk, and not recorded yet."""
    keys = [f"2026-11-25T{hour:02}:00:00" for hour in range(number)]
    text = (data / "grades" / f"{FIRST}.json").read_text()
    for key in keys:
        (data / "grades" / f"{key}.json").write_text(text.replace(FIRST, key))
    return keys


def test_two_processes_at_once_lose_nothing(client: httpx.Client, data: Path) -> None:
    show(client, data, FIRST)
    keys, spawn = copies(data, 12), multiprocessing.get_context("spawn")
    start = spawn.Event()
    halves = keys[::2], keys[1::2]
    processes = [spawn.Process(target=_record_all, args=(data, half, start)) for half in halves]
    for process in processes:
        process.start()
    start.set()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0, 0]
    assert [batch for batch, _ in ranks(client, "AAPL")] == [FIRST, *keys]


def test_a_kill_in_the_middle_of_a_write_leaves_a_whole_record(client: httpx.Client, data: Path) -> None:
    show(client, data, FIRST)
    (key,) = copies(data, 1)
    killed = multiprocessing.get_context("spawn").Process(
        target=_killed_while_writing, args=(record, BatchFiles(data, key))
    )
    killed.start()
    killed.join(120)
    assert killed.exitcode == -signal.SIGKILL
    folder = data / "grades" / "history"
    assert len(list(folder.glob(".2026-11.parquet.*"))) == 1
    assert ranks(client, "AAPL") == [(FIRST, 1)]
    assert rebuild(data).recorded == [key]
    assert ranks(client, "AAPL") == [(FIRST, 1), (key, 1)]
    assert {path.name for path in folder.iterdir()} == {".complete", ".lock", "2026-11.parquet"}
