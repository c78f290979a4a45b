"""How far symbols lie behind the newest of them."""

from datetime import date

import polars as pl
import pytest

from apps.common.lateness import dated, is_recent
from apps.common.stage import BadConfig

FRIDAY, SATURDAY = date(2026, 11, 20), date(2026, 11, 21)
BEFORE_THANKSGIVING, AFTER = date(2026, 11, 25), date(2026, 11, 27)


def table(*days: date) -> pl.DataFrame:
    return pl.DataFrame({"last_day": days}, schema={"last_day": pl.Date})


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ((FRIDAY, BEFORE_THANKSGIVING, AFTER), [4, 1, 0]),
        ((SATURDAY, AFTER), [4, 0]),  # a day that is not a session counts as the one before it
        ((FRIDAY, SATURDAY), [0, 0]),
        ((AFTER, AFTER), [0, 0]),
        ((FRIDAY, date(2150, 1, 4)), [None, None]),  # nobody knows the sessions of that year
        ((), []),
    ],
)
def test_sessions_behind_are_those_of_the_exchange(days, expected):
    got = dated(table(*days), "XNYS")
    assert got["sessions_behind"].to_list() == expected
    assert set(got["as_of"]) == {*days[-1:]}


def test_without_an_exchange_they_are_not_known():
    assert dated(table(FRIDAY, AFTER), "")["sessions_behind"].to_list() == [None, None]
    assert dated(table(AFTER, AFTER), "")["sessions_behind"].to_list() == [None, None]


def test_the_exchange_is_loaded_only_when_a_symbol_is_behind():
    assert dated(table(AFTER, AFTER), "MOON")["sessions_behind"].to_list() == [0, 0]
    with pytest.raises(BadConfig, match="MOON"):
        dated(table(FRIDAY, AFTER), "MOON")


@pytest.mark.parametrize(("calendar", "recent"), [("XNYS", [False, True, True]), ("", [True, True, True])])
def test_a_limit_is_in_sessions_where_they_are_known_and_else_in_days(calendar, recent):
    symbols = dated(table(FRIDAY, BEFORE_THANKSGIVING, AFTER), calendar)
    assert symbols.select(is_recent(sessions=3, days=7)).to_series().to_list() == recent
