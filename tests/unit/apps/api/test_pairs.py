"""The record of what was compared: which sessions count, by which prices, and what is refused."""

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from apps.api import pairs
from apps.api.records import Grade, Grades
from apps.common.stage import BadData
from apps.common.versions import Version

VARIANT, OTHER = "rival-0a1b2c3d", "rival-4e5f6a7b"
MONDAY = date(2026, 11, 16)
SYMBOLS = ("AAPL", "KO", "PG", "XOM")
GROWTH = dict(zip(SYMBOLS, (1.01, 1.02, 0.99, 1.0), strict=True))  # of each session


def key(day: int, hour: int = 6) -> str:
    return f"{MONDAY + timedelta(days=day)}T{hour:02}:00:00"


def grades(day: int, best: str, worst: str, hour: int = 6, of: int | None = None) -> Grades:
    """Grades of a batch whose newest closes are those of the day, or of another one."""
    letters = dict.fromkeys(SYMBOLS, "C") | {best: "A", worst: "F"}
    nothing = dict.fromkeys(("momentum", "value", "quality", "sentiment"))
    made = [
        Grade(
            symbol=symbol, rank=rank, grade=letter, composite=0, score=0, headlines=0, sparkline=[], **nothing
        )
        for rank, (symbol, letter) in enumerate(letters.items(), start=1)
    ]
    as_of = MONDAY + timedelta(days=day if of is None else of)
    return Grades(batch=key(day, hour), as_of=as_of, sentiment_weight=0.2, grades=made, ungraded=[])


def prices(data: Path, days: int, growth: dict[str, float] = GROWTH) -> Version:
    """Closes of the days from Monday on."""
    rows = [
        (symbol, MONDAY + timedelta(days=day), 100 * growth[symbol] ** day)
        for symbol in SYMBOLS
        for day in range(days)
    ]
    folder = data / "prices" / key(days - 1)
    folder.mkdir(parents=True)
    pl.DataFrame(rows, schema=["symbol", "date", "close"], orient="row").write_parquet(
        folder / "prices.parquet"
    )
    return Version(folder)


def three_days(data: Path, variant: str = VARIANT) -> None:
    """The champion has AAPL before PG, which is worth 2 % a session; the challenger KO before PG, 3 %."""
    for day in range(3):
        pairs.record(data, variant, grades(day, "AAPL", "PG"), grades(day, "KO", "PG"))


def over_a_session(data: Path, version: Version | None, variant: str = VARIANT, day: int = 2) -> list[object]:
    found = pairs.returns(data, variant, key(day), version)
    return [found[f"{name}_1"] for name in ("sessions", "champion_spread", "challenger_spread", "difference")]


def test_a_session_counts_once_its_return_is_in(tmp_path: Path) -> None:
    three_days(tmp_path)
    found = pairs.returns(tmp_path, VARIANT, key(2), prices(tmp_path, 3))
    assert {name: found[name] for name in found if name.startswith("sessions")} == {
        "sessions_1": 2,
        "sessions_5": 0,
        "sessions_21": 0,
    }
    assert found["champion_spread_1"] == pytest.approx(0.02)
    assert found["challenger_spread_1"] == pytest.approx(0.03)
    assert found["difference_1"] == pytest.approx(0.01)
    assert (found["difference_low_1"], found["difference_high_1"]) == (None, None)  # too few sessions
    assert found["difference_5"] is None


def test_the_record_of_another_way_is_not_in_it(tmp_path: Path) -> None:
    three_days(tmp_path)
    pairs.record(tmp_path, OTHER, grades(2, "AAPL", "PG"), grades(2, "XOM", "PG"))
    assert over_a_session(tmp_path, prices(tmp_path, 4), OTHER, day=3) == pytest.approx(
        [1, 0.02, 0.01, -0.01]
    )


def test_of_a_session_the_newest_batch_counts_as_it_was_compared_last(tmp_path: Path) -> None:
    three_days(tmp_path)
    version = prices(tmp_path, 3)
    pairs.record(tmp_path, VARIANT, grades(1, "AAPL", "PG", hour=18), grades(1, "XOM", "PG", hour=18))
    assert over_a_session(tmp_path, version) == pytest.approx([2, 0.02, 0.02, 0.0])
    pairs.record(tmp_path, VARIANT, grades(1, "AAPL", "PG", hour=18), grades(1, "KO", "PG", hour=18))
    assert over_a_session(tmp_path, version) == pytest.approx([2, 0.02, 0.03, 0.01])


def test_an_older_batch_that_is_compared_again_knows_nothing_of_newer_ones(tmp_path: Path) -> None:
    three_days(tmp_path)
    assert over_a_session(tmp_path, prices(tmp_path, 3), day=0)[0] == 1


def test_grades_of_two_sessions_are_no_pair(tmp_path: Path) -> None:
    pairs.record(tmp_path, VARIANT, grades(1, "AAPL", "PG"), grades(1, "KO", "PG", of=0))
    assert over_a_session(tmp_path, prices(tmp_path, 3))[0] == 0


def test_without_prices_nothing_is_known(tmp_path: Path) -> None:
    three_days(tmp_path)
    for version in (None, Version(tmp_path / "prices" / key(2))):
        assert over_a_session(tmp_path, version) == [0, None, None, None]


def test_the_record_does_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs, "KEPT", 2)
    three_days(tmp_path)
    names = sorted(path.stem for path in (tmp_path / "grades/compared" / VARIANT).iterdir())
    assert names == [key(1), key(2)]


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    three_days(tmp_path)
    version = prices(tmp_path, 3)
    for path, told in (
        (
            tmp_path / "grades/compared" / VARIANT / f"{key(0)}.parquet",
            "remove it, and compare its batch again",
        ),
        (version.folder / "prices.parquet", "is unreadable"),
    ):
        content = path.read_bytes()
        path.write_bytes(content[:50])
        with pytest.raises(BadData, match=told):
            over_a_session(tmp_path, version)
        path.write_bytes(content)
    assert over_a_session(tmp_path, version)[0] == 2
