"""The sample under other dates: which session has which of its days, from its beginning to its end."""

from datetime import UTC, date, datetime, timedelta
from functools import cache

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.common.exchange import exchange
from apps.ingestion.prices import update
from apps.ingestion.sources.sample import SAMPLE, SampleSource
from apps.ingestion.table import SCHEMA
from tests.unit.apps.support.stage_process import result, run_stage

NYSE = {"RANKALPHA_CALENDAR": "XNYS"}
BEGIN, END = datetime(2005, 1, 1, tzinfo=UTC), datetime(2032, 7, 1, tzinfo=UTC)


@cache
def original() -> pl.DataFrame:
    """The sample under its own dates, as the file has it."""
    return pl.read_csv(SAMPLE, schema_overrides={"Date": pl.Date})


@cache
def sample(text: str, code: str = "XNYS") -> SampleSource:
    """The sample of a batch."""
    return SampleSource((), datetime.fromisoformat(text).replace(tzinfo=UTC), exchange(code))


def prices(text: str, code: str = "XNYS") -> pl.DataFrame:
    source = sample(text, code)
    return source.fetch(source.symbols, {}).prices.sort("symbol", "date")


def apple(table: pl.DataFrame) -> pl.DataFrame:
    return table.filter(pl.col("symbol") == "AAPL")


def test_each_session_has_a_day_of_the_sample_and_no_other_day_has():
    moved = apple(prices("2026-11-29T06:00:00"))
    assert moved["date"].to_list() == exchange("XNYS").sessions(date(1999, 12, 13), date(2026, 11, 27))
    closes = original()["AAPL"].to_list()
    assert moved["close"].to_list() == closes[: moved.height]
    assert original()["Date"][moved.height - 1] == date(2016, 11, 25)


@pytest.mark.parametrize(
    ("moment", "session", "day"),
    [
        ("2026-11-25T20:59:59", "2026-11-24", "2016-11-22"),
        ("2026-11-25T21:00:00", "2026-11-25", "2016-11-23"),
        ("2026-11-26T23:00:00", "2026-11-25", "2016-11-23"),  # Thanksgiving
        ("2026-11-27T17:59:59", "2026-11-25", "2016-11-23"),
        ("2026-11-27T18:00:00", "2026-11-27", "2016-11-25"),  # half a day
        ("2026-11-28T06:00:00", "2026-11-27", "2016-11-25"),
        ("2026-11-30T06:00:00", "2026-11-27", "2016-11-25"),
        ("2026-12-01T06:00:00", "2026-11-30", "2016-11-28"),
        ("2016-11-29T06:00:00", "2016-11-28", "2006-12-01"),  # ten years ago
    ],
)
def test_the_newest_closed_session_is_the_last_day(moment, session, day):
    assert sample(moment).notice == f"sample: prices of {day} under the date of {session}"
    assert str(prices(moment)["date"].max()) == session


@pytest.mark.parametrize("code", ["XNYS", "XHKG", "24/7", ""])
@settings(deadline=None, max_examples=15)
@given(moment=st.datetimes(BEGIN.replace(tzinfo=None), END.replace(tzinfo=None)), later=st.integers(0, 90))
def test_a_later_batch_adds_days_and_changes_none(code, moment, later):
    if code == "24/7":
        moment = max(moment, datetime(2010, 1, 1))  # noqa: DTZ001  it has more sessions a year
        moment = min(moment, datetime(2030, 1, 1))  # noqa: DTZ001
    one, other = (
        SampleSource(["AAPL"], at.replace(tzinfo=UTC), exchange(code))
        for at in (moment, moment + timedelta(days=later))
    )
    early, late = (source.fetch(["AAPL"], {}).prices for source in (one, other))
    assert early.equals(late.head(early.height))
    assert one.left - other.left == late.height - early.height
    assert early["date"].is_unique().all()


def test_a_week_brings_five_days_at_most_and_its_sunday_the_bytes_of_its_saturday(tmp_path):
    days = [f"2026-11-{day}T06:00:00" for day in range(24, 31)]  # a week with a holiday and half a day
    for day in days:
        done = run_stage("ingestion", tmp_path, day, **NYSE)
        assert done.returncode == 0, done.stderr
    got = [result("ingestion", tmp_path, day) for day in days]
    new = [each["details"]["new_rows"] for each in got]
    assert new == [got[0]["rows"], 20, 20, 0, 20, 0, 0]
    saturday, sunday = (tmp_path / "prices" / day for day in days[4:6])
    assert sorted(path.name for path in sunday.iterdir()) == [
        "appearances.json",
        "prices.parquet",
        "universe.csv",
    ]
    for path in sunday.iterdir():
        assert path.read_bytes() == (saturday / path.name).read_bytes()
    names = ("source", "sample_left", "appearances", "replayed")
    assert [got[5]["details"][name] for name in names] == [got[4]["details"][name] for name in names]


def test_without_an_exchange_each_weekday_that_is_over_has_a_day():
    moved = apple(prices("2026-11-30T06:00:00", ""))
    assert moved["date"].max() == date(2026, 11, 27)
    assert moved["date"].dt.weekday().unique().sort().to_list() == [1, 2, 3, 4, 5]
    assert moved["date"].diff().max() == timedelta(days=3)
    assert sample("2026-11-27T23:59:59", "").notice.endswith("under the date of 2026-11-26")


def test_it_ends_and_says_so_for_a_year_before():
    last = sample("2033-01-05T06:00:00")
    assert last.left == 0
    assert last.notice == "sample: prices of 2022-12-28 under the date of 2033-01-04"
    assert apple(prices("2033-01-05T06:00:00"))["close"].to_list() == original()["AAPL"].to_list()
    assert 250 < sample("2032-01-05T06:00:00").left < 256


@pytest.mark.parametrize(
    ("moment", "message"),
    [
        ("2033-01-06T06:00:00", "INGESTION_SOURCE=sample ended with 2033-01-04; choose another source"),
        ("1999-12-13T06:00:00", "INGESTION_SOURCE=sample begins with 1999-12-13; choose a later batch"),
    ],
)
def test_a_batch_outside_of_it_is_refused(tmp_path, moment, message):
    done = run_stage("ingestion", tmp_path, moment, **NYSE)
    assert done.returncode == 78
    assert message in done.stderr


def test_a_stack_that_knows_it_under_its_own_dates_goes_on_with_the_moved_one():
    known = original().unpivot(index="Date", variable_name="symbol", value_name="close")
    known = known.rename({"Date": "date"}).select(SCHEMA.names()).sort("symbol", "date")
    got = update(sample("2026-11-29T06:00:00"), known.lazy(), date(2026, 11, 29))
    assert got.prices.equals(prices("2026-11-29T06:00:00"))
    assert (got.missing, got.jumps.height) == ({}, 0)
    assert got.prices.height > 0.8 * known.height  # or its contract would block the batch


def test_a_market_that_changes_its_exchange_has_the_sessions_of_the_new_one():
    known = prices("2026-11-29T06:00:00", "XHKG")
    got = update(sample("2026-11-29T06:00:00"), known.lazy(), date(2026, 11, 29))
    assert got.prices.equals(prices("2026-11-29T06:00:00"))
    assert got.missing == {}
