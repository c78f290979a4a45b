"""Batches of a market with an exchange: which days they take, and what they report as missing."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import polars as pl
import pytest

from apps.common.exchange import Exchange, exchange
from apps.common.stage import Batch
from apps.ingestion.sessions import holes
from apps.ingestion.table import SCHEMA
from apps.ingestion.trading import FIGURES, Trading
from datasets import PRICES_CONTRACT
from tests.unit.apps.ingestion.test_work import TAKEN_OVER, age, ingest, report, write_csv

XNYS = {"RANKALPHA_CALENDAR": "XNYS"}
WEDNESDAY, THANKSGIVING, BLACK_FRIDAY, MONDAY = (
    date(2026, 11, 25),
    date(2026, 11, 26),
    date(2026, 11, 27),
    date(2026, 11, 30),
)


def nyse() -> Exchange:
    known = exchange("XNYS")
    assert known
    return known


def csv(tmp_path: Path, last: date, *symbols: str, without: tuple[date, ...] = ()) -> dict[str, str]:
    """Write closes of each session of two months up to a day; return the settings that read them."""
    days = [day for day in nyse().sessions(last - timedelta(days=60), last) if day not in without]
    for symbol in symbols or ("AAA", "BBB"):
        write_csv(tmp_path / "csv", symbol, "date,close", *(f"{day},10.0" for day in days))
    age(tmp_path / "csv", 60)
    return {"INGESTION_SOURCE": "csv", "INGESTION_CSV_DIR": str(tmp_path / "csv"), **XNYS}


def details(tmp_path: Path, batch: str, **settings: str) -> dict:
    done = ingest(tmp_path, batch, **settings)
    assert done.returncode == 0, done.stderr
    return report(tmp_path, batch)["details"]


def verdicts(tmp_path: Path, batch: str, about: str = "lag behind") -> dict[str, tuple[bool, str]]:
    """Return what the contract says of a batch, by the checks whose names contain a text."""
    outcomes = PRICES_CONTRACT.evaluate(batch, report(tmp_path, batch), {}, required=True)
    return {one["name"]: (one["passed"], one["severity"]) for one in outcomes if about in one["name"]}


@pytest.mark.parametrize(
    ("batch", "as_of"),
    [
        ("2026-11-25T15:00:00", date(2026, 11, 24)),  # the exchange is open: no half day's prices
        ("2026-11-25T21:00:00", WEDNESDAY),
        ("2026-11-26T23:00:00", WEDNESDAY),  # a holiday
        ("2026-11-27T17:30:00", WEDNESDAY),
        ("2026-11-27T18:30:00", BLACK_FRIDAY),  # the hour after a half day's close
        ("2026-11-29T06:00:00", BLACK_FRIDAY),  # a Sunday
        ("2026-11-30T20:59:59", BLACK_FRIDAY),
        ("2026-11-30T21:30:00", MONDAY),
        ("2026-10-12T06:00:00", date(2026, 10, 9)),  # a past batch sees nothing later
    ],
)
def test_a_batch_takes_the_sessions_that_had_closed(tmp_path: Path, batch: str, as_of: date) -> None:
    got = details(tmp_path, batch, **csv(tmp_path, date(2026, 12, 4)))
    assert report(tmp_path, batch)["as_of"] == got["session"] == as_of.isoformat()
    assert (got["sessions_behind"], got["symbols_behind"], got["missing_sessions"]) == (0, 0, 0)


def test_without_a_calendar_days_count(tmp_path: Path) -> None:
    settings = csv(tmp_path, date(2026, 12, 4)) | {"RANKALPHA_CALENDAR": ""}
    got = details(tmp_path, "2026-11-25T15:00:00", **settings)
    assert report(tmp_path, "2026-11-25T15:00:00")["as_of"] == "2026-11-25"
    assert (got["session"], got["sessions_behind"], got["symbols_behind"]) == (None, None, None)


def test_a_source_that_stands_still_warns_after_one_session_and_is_blocked_after_two(tmp_path: Path) -> None:
    frozen = csv(tmp_path, date(2026, 11, 20))
    expected = {  # by the day of the batch at 06:00 UTC: sessions behind
        "2026-11-22": 0,  # a Sunday
        "2026-11-23": 0,
        "2026-11-24": 1,
        "2026-11-25": 2,
    }
    for day, behind in expected.items():
        batch = f"{day}T06:00:00"
        got = details(tmp_path, batch, **frozen)
        assert (day, got["sessions_behind"], got["symbols_behind"]) == (day, behind, 2 if behind else 0)
        assert verdicts(tmp_path, batch) == {
            "lag behind the exchange": (behind < 2, "block"),
            "any lag behind the exchange": (behind < 1, "warn"),
        }


def test_a_source_that_stands_still_for_most_symbols_is_blocked(tmp_path: Path) -> None:
    settings = csv(tmp_path, BLACK_FRIDAY, "AAA", "BBB")
    csv(tmp_path, date(2026, 11, 20), "CCC", "DDD", "EEE", "FFF")
    got = details(tmp_path, "2026-11-29T06:00:00", **settings)
    assert (got["sessions_behind"], got["symbols_behind"], got["symbols_lagging"]) == (0, 4, 4)
    assert verdicts(tmp_path, "2026-11-29T06:00:00", "behind the others") == {
        "symbols behind the others": (True, "block"),  # 3 of 6 but one
        "many symbols behind the others": (False, "warn"),
    }
    csv(tmp_path, date(2026, 11, 20), "GGG", "HHH")
    details(tmp_path, "2026-11-29T07:00:00", **settings)
    (blocked, _) = verdicts(tmp_path, "2026-11-29T07:00:00", "behind the others").values()
    assert blocked == (False, "block")


def test_a_holiday_is_not_a_session_that_is_missing(tmp_path: Path) -> None:
    got = details(tmp_path, "2026-11-27T06:00:00", **csv(tmp_path, WEDNESDAY))
    assert (got["session"], got["sessions_behind"]) == ("2026-11-25", 0)


def test_nothing_is_read_again_until_the_next_session(tmp_path: Path) -> None:
    settings = csv(tmp_path, date(2026, 12, 4))
    assert TAKEN_OVER not in ingest(tmp_path, "2026-11-28T06:00:00", **settings).stdout
    frozen = csv(tmp_path, BLACK_FRIDAY)
    assert ingest(tmp_path, "2026-11-28T07:00:00", **frozen).returncode == 0
    for batch in ("2026-11-29T06:00:00", "2026-11-30T20:00:00"):
        done = ingest(tmp_path, batch, **frozen)
        assert TAKEN_OVER in done.stdout, done.stderr
    assert TAKEN_OVER not in ingest(tmp_path, "2026-11-30T21:00:00", **frozen).stdout
    assert report(tmp_path, "2026-11-30T21:00:00")["details"]["sessions_behind"] == 1


def test_a_symbol_that_is_behind_and_sessions_that_are_missing_are_counted(tmp_path: Path) -> None:
    settings = csv(tmp_path, BLACK_FRIDAY, "AAA", "BBB", without=(date(2026, 11, 10),))
    csv(tmp_path, date(2026, 11, 20), "CCC", without=(date(2026, 11, 11), date(2026, 11, 12)))
    got = details(tmp_path, "2026-11-29T06:00:00", **settings)
    assert (got["sessions_behind"], got["symbols_behind"], got["missing_sessions"]) == (0, 1, 4)


def test_a_day_that_all_symbols_lack_is_a_hole_for_the_exchange_alone() -> None:
    days = [day for day in nyse().sessions(date(2026, 11, 2), date(2026, 11, 27)) if day.day != 11]
    rows = [(symbol, day, 10.0) for symbol in ("AAA", "BBB") for day in days]
    prices = pl.DataFrame(rows, schema=SCHEMA, orient="row").lazy()
    assert holes(prices).is_empty()
    assert holes(prices, nyse()).rows() == [("AAA", date(2026, 11, 11)), ("BBB", date(2026, 11, 11))]
    assert holes(SCHEMA.to_frame().lazy(), nyse()).is_empty()


def test_only_what_scores_look_at_is_searched_for_holes() -> None:
    sessions = nyse().sessions(date(2010, 1, 1), BLACK_FRIDAY)
    lacking = {sessions[-1261], sessions[-1262], sessions[-100]}
    rows = [("AAA", day, 10.0) for day in sessions if day not in lacking]
    prices = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    assert Trading(BLACK_FRIDAY, nyse()).figures(prices)["missing_sessions"] == 2


def test_a_batch_that_the_calendar_does_not_reach_counts_days(caplog: pytest.LogCaptureFixture) -> None:
    shanghai = exchange("XSHG")
    assert shanghai
    moment = datetime(shanghai.known_until.year + 1, 2, 1, 6, tzinfo=UTC)
    trading = Trading.of(Batch(moment.strftime("%Y-%m-%dT%H:%M:%S"), Path("/data"), calendar="XSHG"))
    assert (trading.session, trading.until) == (None, moment.date())
    assert "days are counted instead of sessions" in caplog.text
    assert trading.figures(SCHEMA.to_frame()) == {**dict.fromkeys(FIGURES), "calendar_days": 0}


@pytest.mark.parametrize(("days", "passed"), [(45, True), (10, False)])
def test_the_end_of_a_calendar_is_announced(days: int, passed: bool) -> None:
    shanghai = exchange("XSHG")
    assert shanghai
    moment = datetime.combine(shanghai.known_until - timedelta(days=days), time(12), UTC)
    trading = Trading.of(Batch(moment.strftime("%Y-%m-%dT%H:%M:%S"), Path("/data"), calendar="XSHG"))
    prices = pl.DataFrame([("AAA", trading.until, 10.0)], schema=SCHEMA, orient="row")
    outcomes = PRICES_CONTRACT.evaluate("", {"details": trading.figures(prices)}, {}, required=True)
    (ahead,) = (one for one in outcomes if one["name"] == "days that the exchange is known ahead")
    assert (ahead["passed"], ahead["severity"]) == (passed, "warn")


def test_an_unknown_calendar_is_refused(tmp_path: Path) -> None:
    done = ingest(tmp_path, RANKALPHA_CALENDAR="nyse")
    assert done.returncode == 78
    assert "RANKALPHA_CALENDAR='nyse' is not an exchange; expected NYSE" in done.stderr
