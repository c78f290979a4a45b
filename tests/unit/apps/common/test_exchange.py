"""The sessions of exchanges, against days that everybody can look up."""

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise

import pytest

from apps.common.exchange import Exchange, exchange
from apps.common.stage import BadConfig
from tests.unit.apps.support.stage_process import ROOT

THANKSGIVING, BLACK_FRIDAY = (
    date(2026, 11, 26),
    date(2026, 11, 27),
)  # then it closes at 18:00 UTC
FRIDAY, MONDAY = date(2026, 11, 20), date(2026, 11, 23)


def of(code: str) -> Exchange:
    made = exchange(code)
    assert made
    return made


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "session"),
    [
        ("2026-11-22T06:00:00", FRIDAY),  # a Sunday
        ("2026-11-23T20:59:59", FRIDAY),
        ("2026-11-23T21:00:00", MONDAY),
        ("2026-11-23T22:00:00", MONDAY),  # the hour after the close
        ("2026-11-26T23:00:00", date(2026, 11, 25)),  # a holiday
        ("2026-11-27T17:59:59", date(2026, 11, 25)),
        ("2026-11-27T18:00:00", BLACK_FRIDAY),  # a half day
        ("2026-07-15T20:00:00", date(2026, 7, 15)),  # summer time
        ("2026-07-15T19:59:59", date(2026, 7, 14)),
    ],
)
def test_the_last_closed_session_of_the_nyse(moment: str, session: date) -> None:
    assert of("XNYS").last_closed(at(moment)) == session


def test_a_moment_may_have_any_time_zone() -> None:
    moment = at("2026-11-23T21:00:00").astimezone(timezone(timedelta(hours=-5)))
    assert of("XNYS").last_closed(moment) == MONDAY


# the share of a year's batches at 06:00 UTC that have no session which the day before had not
@pytest.mark.parametrize(
    ("code", "quiet"), [("XNYS", 114), ("XLON", 112), ("XFRA", 110), ("XHKG", 119), ("XTKS", 122)]
)
def test_the_batches_of_2026_that_bring_nothing_new(code: str, quiet: int) -> None:
    days = [at("2026-01-01T06:00:00") + timedelta(days=day) for day in range(365)]
    closed = [of(code).last_closed(day) for day in days]
    assert sum(new == old for old, new in pairwise(closed)) == quiet


def test_sessions_are_counted_after_the_one_day_and_up_to_the_other() -> None:
    nyse = of("XNYS")
    assert nyse.missing(FRIDAY, FRIDAY) == 0
    assert nyse.missing(FRIDAY, date(2026, 11, 22)) == 0
    assert nyse.missing(FRIDAY, MONDAY) == 1
    assert nyse.missing(FRIDAY, BLACK_FRIDAY) == 4
    assert nyse.missing(MONDAY, FRIDAY) == 0
    assert nyse.sessions(date(2026, 11, 25), BLACK_FRIDAY) == [date(2026, 11, 25), BLACK_FRIDAY]


def test_it_is_open_from_the_opening_to_the_close() -> None:
    nyse = of("XNYS")
    assert [nyse.is_open(at(f"2026-11-27T{hour}:00")) for hour in ("14:29", "14:30", "17:59", "18:00")] == [
        False,
        True,
        True,
        False,
    ]
    assert not nyse.is_open(at("2026-11-26T16:00:00"))
    assert of("XTKS").is_open(at("2026-11-27T03:00:00"))  # the break at noon


def test_the_next_close() -> None:
    assert of("XNYS").next_close(at("2026-11-25T21:00:00")) == at("2026-11-27T18:00:00")


def test_half_days_and_holidays() -> None:
    nyse, year = of("XNYS"), (date(2026, 1, 1), date(2026, 12, 31))
    assert nyse.half_days(*year) == {
        BLACK_FRIDAY: at("2026-11-27T18:00:00"),
        date(2026, 12, 24): at("2026-12-24T18:00:00"),
    }
    holidays = nyse.holidays(*year)
    assert len(holidays) == 10
    assert THANKSGIVING in holidays


@pytest.mark.parametrize("code", ["XNYS", "XLON", "XFRA", "XETR", "XHKG", "XTSE", "XSWX"])
def test_it_knows_1990_and_ten_years_ahead(code: str) -> None:
    known = of(code)
    assert known.sessions(date(1990, 1, 1), date(1990, 1, 31))
    later = datetime.now(UTC) + timedelta(days=3653)
    assert known.last_closed(later) <= later.date()
    assert known.next_close(later) > later


def test_a_day_that_the_library_does_not_know_yet_is_refused() -> None:
    shanghai = of("XSHG")  # its holidays are announced a year ahead
    newest = shanghai.known_until
    assert shanghai.sessions(newest - timedelta(days=10), newest)
    later = datetime(newest.year + 1, 1, 5, 12, tzinfo=UTC)
    for ask in (shanghai.last_closed, shanghai.next_close, shanghai.is_open):
        with pytest.raises(BadConfig, match=rf"RANKALPHA_CALENDAR=XSHG: .* known until {newest}"):
            ask(later)
    with pytest.raises(BadConfig, match="known until"):
        shanghai.missing(newest, later.date())


def test_a_moment_before_its_first_session_is_refused() -> None:
    with pytest.raises(BadConfig, match=r"1989-12-31 is before its first known session, 1990-01-02"):
        of("XNYS").last_closed(at("1989-12-31T06:00:00"))


def test_an_exchange_whose_week_has_changed() -> None:
    assert of("XTAE").last_closed(at("2020-03-08T22:00:00")) == date(2020, 3, 8)  # a Sunday
    assert of("XTAE").last_closed(at("2026-03-08T22:00:00")) == date(2026, 3, 6)


def test_an_alias_is_a_code_and_an_empty_one_is_no_exchange() -> None:
    assert of("NYSE").last_closed(at("2026-11-23T21:00:00")) == MONDAY
    assert exchange("") is None


@pytest.mark.parametrize(
    ("code", "expected"),
    [("xnys", "XNYS"), ("XNYZ", "XNYS"), ("nyse", "NYSE"), ("New York", "a code of exchange_calendars")],
)
def test_an_unknown_code_is_refused_with_the_nearest(code: str, expected: str) -> None:
    with pytest.raises(BadConfig, match=rf"RANKALPHA_CALENDAR='{code}' is not an exchange; .*{expected}"):
        exchange(code)


def test_the_library_is_loaded_for_an_exchange_only() -> None:
    code = (
        "import sys; from apps.common.exchange import exchange; exchange('');"
        "print({'pandas', 'exchange_calendars'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout.strip()) == (0, "set()"), ran.stderr
