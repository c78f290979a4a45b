"""Which session a batch's prices are of, in words, at given moments of the market's year 2026."""

from datetime import UTC, date, datetime, timedelta

import pytest

from rankalpha.pipeline.sessions import MarketDay, carried_over, figures

FRIDAY = date(2026, 11, 27)  # after Thanksgiving: a half day, which closes at 18:00 UTC
FRIDAYS_CLOSE = datetime(2026, 11, 27, 18, tzinfo=UTC)
CLOSED = "at least 1 session behind: a newer one closed on Mon 30 Nov at 21:00 UTC"
MONDAYS_CLOSE = datetime(2026, 11, 30, 21, tzinfo=UTC)


def at(text):
    return datetime.fromisoformat(f"{text}+00:00")


def result(as_of="2026-11-27", session="2026-11-27", behind=0, close="2026-11-30T21:00:00+00:00"):
    """A result of ingestion, or an event's extra."""
    details = {"source": "csv", "session": session, "sessions_behind": behind, "next_close": close}
    return {"rows": 1, "symbols": 1, "as_of": as_of, "details": details}


@pytest.mark.parametrize(
    ("now", "words"),
    [
        ("2026-11-27T18:30:00", "Friday's close, 27 Nov, current"),  # in the hour after a half day's close
        ("2026-11-29T06:00:00", "Friday's close, 27 Nov, current"),  # a Sunday
        ("2026-11-30T20:59:59", "Friday's close, 27 Nov, current"),
        (
            "2026-11-30T21:30:00",
            f"Friday's close, 27 Nov, {CLOSED}",
        ),
        (
            "2027-01-04T12:00:00",
            f"Friday's close, 27 Nov 2026, {CLOSED}",
        ),
    ],
)
def test_grades_of_the_newest_session_are_current_until_the_next_one_closes(now, words):
    assert MarketDay.of(result()).text(at(now)) == words


def test_on_a_holiday_the_session_before_it_is_the_newest():
    """Thanksgiving, 26 November: the next close is that of Friday's half day."""
    day = MarketDay.of(result("2026-11-25", "2026-11-25", close=FRIDAYS_CLOSE.isoformat()))
    assert day.text(at("2026-11-26T22:00:00")) == "Wednesday's close, 25 Nov, current"
    assert day.text(at("2026-11-27T18:00:00")).startswith("Wednesday's close, 25 Nov, at least 1 session")


@pytest.mark.parametrize(("behind", "words"), [(1, "1 session behind"), (2, "2 sessions behind")])
def test_a_source_that_lags_is_named_as_it_was_when_the_batch_was_made(behind, words):
    day = MarketDay.of(result("2026-11-25", behind=behind))
    assert day.text(at("2026-11-28T06:00:00")) == f"Wednesday's close, 25 Nov, {words}"
    assert day.described(at("2026-12-28T06:00:00"))["text"] == f"Wednesday's close, 25 Nov, {words}"
    assert f"at least {behind + 1} sessions behind" in day.text(at("2026-12-01T06:00:00"))


def test_without_a_calendar_nothing_is_said_of_sessions():
    for details in ({}, {"details": {"session": None}}, {"details": {"rows": 2}}, {"details": 5}):
        day = MarketDay.of({"as_of": "2026-11-27", **details})
        assert day.text(at("2027-03-01T06:00:00")) == "Friday's close, 27 Nov 2026"


@pytest.mark.parametrize("written", [5, "soon", "2026-13-01", ["x"], True, -3, "2026-11-30T21:00:00"])
def test_what_an_image_of_ones_own_has_written_may_be_anything(written):
    assert MarketDay.of({"as_of": written}) is None or written == "2026-11-30T21:00:00"
    day = MarketDay.of(result(session=written, behind=written, close=written))
    assert day.text(at("2026-11-29T06:00:00")).startswith("Friday's close")


def test_data_stay_fresh_until_a_newer_session_has_been_closed_for_as_long():
    day, saturday, fresh = MarketDay.of(result()), at("2026-11-28T06:10:00"), timedelta(hours=26)
    assert day.stale_at(saturday, fresh) == MONDAYS_CLOSE + fresh
    late = at("2026-12-01T06:10:00")  # published when something newer was there
    assert day.stale_at(late, fresh) == late + fresh


@pytest.mark.parametrize("changed", [{"behind": 1}, {"session": None}, {"close": None}])
def test_otherwise_their_age_counts(changed):
    saturday, fresh = at("2026-11-28T06:10:00"), timedelta(hours=26)
    assert MarketDay.of(result(**changed)).stale_at(saturday, fresh) == saturday + fresh


def test_what_is_carried_over_names_the_batch_that_it_was_made_for():
    sunday = MarketDay.of(result())
    text = "no new session; grades of Sat 28 Nov 06:00 carried over"
    assert carried_over("2026-11-28T06:00:00", sunday) == text
    frozen = MarketDay.of(result("2026-11-25", behind=1))
    assert carried_over("2026-11-28T06:00:00", frozen).startswith("nothing new; grades of Sat 28 Nov")
    assert carried_over("2026-11-28T06:00:00", None).startswith("nothing new")
    assert [carried_over(value, sunday) for value in (None, "yesterday", 5, "")] == [""] * 4


def test_each_session_that_has_closed_since_counts():
    later = {"later_closes": "2026-12-01T21:00:00+00:00 2026-12-02T21:00:00+00:00"}
    day = MarketDay.of({**result(), "details": {**result()["details"], **later}})
    behind = [
        day.behind_at(datetime(2026, *at, 22, tzinfo=UTC)) for at in ((11, 29), (11, 30), (12, 1), (12, 9))
    ]
    assert behind == [0, 1, 2, 3]


def test_the_sample_is_called_so():
    sample = {**result(), "details": {**result()["details"], "replayed": True}}
    now = datetime(2026, 11, 29, 6, tzinfo=UTC)
    assert MarketDay.of(sample).text(now) == "Friday's close, 27 Nov of the sample, current"


def test_what_a_state_store_keeps_is_enough():
    for details in ({}, {"replayed": True}):
        made = {**result(), "details": {**result()["details"], **details}}
        kept = {"as_of": "2026-11-27", **figures(made)}
        assert MarketDay.of({**kept, "details": kept}) == MarketDay.of(made)
    assert figures({"as_of": "2026-11-27"}) == figures({"details": None}) == {}
