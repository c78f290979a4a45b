"""The watchdog's limits in sessions, for a market of the NYSE that runs half an hour after its usual close.

In 2025 Thanksgiving is Thursday, 27 November, and the half day after it closes at 18:00 UTC.
"""

from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from apps.common.stage import Batch as StageBatch
from apps.ingestion.table import SCHEMA
from apps.ingestion.trading import Trading
from rankalpha.airflow_api import AirflowApi
from rankalpha.health.diagnosis import incidents
from rankalpha.health.queries import market_days
from rankalpha.health.snapshot import Snapshot
from rankalpha.health.standing import FRONTEND, Batch, Standing
from rankalpha.pipeline.market import Market
from rankalpha.pipeline.pipelines import STEPS, Pipeline
from tests.support.http_server import local_server

WEDNESDAY, THURSDAY, FRIDAY = (f"2025-11-{day}T21:30:00" for day in (26, 27, 28))
MONDAY, TUESDAY = (f"2025-12-{day}T21:30:00" for day in ("01", "02"))
GRADED, STARTED = "graded_within_sessions", "started_within_sessions"


def at(text):
    return datetime.fromisoformat(f"{text}+00:00")


def event(key, name="nyse_prices", **other):
    """The event of a batch's prices as Airflow lists it, with what ingestion reports of the exchange."""
    trading = Trading.of(StageBatch(key, Path("/data"), calendar="XNYS"))
    prices = pl.DataFrame([("AAA", trading.until, 10.0)], schema=SCHEMA, orient="row")
    extra = {"as_of": trading.until.isoformat(), "details": trading.figures(prices), **other}
    return {"name": name, "partition_key": key, "extra": extra}


def days(*newest_first):
    with local_server(lambda _request: (200, {"asset_events": list(newest_first)})) as (url, _):
        return market_days(AirflowApi.with_token(url, "t"), "nyse_prices")


def seen(now, *batches, started=None, up="2000-01-01T00:00:00", of=(), **limits):
    """What the watchdog reports of the market at a moment; `of` are the events of its prices, newest first.

    The newest batch that has `started` is by default the newest that is due.
    """
    market = Market(name="nyse", schedule="30 21 * * 1-5", calendar="XNYS", **limits)
    due, pipeline = market.due(at(now)), Pipeline.of(market)
    hanging = {step.name: Standing("waiting") for step in STEPS} | {FRONTEND: Standing("waiting")}
    stuck = [Batch(key, at(key), {**hanging, "ingestion": Standing("running")}) for key in batches]
    snapshot = Snapshot(
        pipeline, at(now), stuck, [], due, at(started) if started else due, at(up), {}, days=days(*of)
    )
    return [incident.subject for incident in incidents(snapshot)]


def overdue(key, within="1 session"):
    return f"batch {key} of nyse was not graded within {within}"


@pytest.mark.parametrize(
    ("key", "sessions", "until"),
    [
        (WEDNESDAY, 1, "2025-11-28T18:00:00"),  # over Thanksgiving, to the close of the half day
        (THURSDAY, 1, "2025-11-28T18:00:00"),  # a batch of the holiday
        (FRIDAY, 1, "2025-12-01T21:00:00"),  # over the weekend
        (MONDAY, 2, "2025-12-03T21:00:00"),
        ("2025-03-07T21:30:00", 1, "2025-03-10T20:00:00"),  # summer time has begun meanwhile
    ],
)
def test_a_batch_has_until_the_close_of_a_session(key, sessions, until):
    words = f"{sessions} session" + "s" * (sessions > 1)
    close, limit = at(until), {GRADED: sessions}
    for now, found in ((close, []), (close + timedelta(seconds=1), [overdue(key, words)])):
        assert seen(f"{now:%Y-%m-%dT%H:%M:%S}", key, of=[event(key)], **limit) == found


def test_a_batch_whose_prices_do_not_come_has_as_long_by_what_the_batch_before_knew():
    limit = {GRADED: 1, "of": [event(WEDNESDAY)]}
    assert seen("2025-12-01T21:00:00", FRIDAY, **limit) == []
    assert seen("2025-12-01T21:01:00", FRIDAY, **limit) == [overdue(FRIDAY)]


def test_a_batch_that_begins_with_a_close_has_until_the_next_one():
    with_close = "2025-12-01T21:00:00"
    limit = {GRADED: 1, "of": [event(FRIDAY)]}
    assert seen("2025-12-02T21:00:00", with_close, **limit) == []
    assert seen("2025-12-02T21:01:00", with_close, **limit) == [overdue(with_close)]


def test_a_later_batch_does_not_say_what_had_closed_before_it():
    monday, tuesday = "2025-11-24T21:30:00", "2025-11-25T21:30:00"
    limit = {GRADED: 1, "of": [event(WEDNESDAY), event(monday)]}
    assert seen("2025-11-26T21:31:00", tuesday, **limit) == [overdue(tuesday)]


def test_a_rest_that_is_longer_than_the_watchdog_looks_back_does_not_hide_a_batch():
    """Good Friday: the next close is three days and 22.5 hours later."""
    key = "2025-04-17T21:30:00"
    limit = {GRADED: 1, "of": [event(key)]}
    assert seen("2025-04-20T21:15:00", key, **limit) == []
    assert seen("2025-04-20T21:16:00", key, **limit) == [overdue(key)]


def test_without_closes_the_minutes_count():
    silent = event(FRIDAY)
    silent["extra"]["details"] |= {"next_close": None, "later_closes": None}
    for known in (
        [],
        [silent],
        [event(FRIDAY, name="nyse_prices_of_another")],
        [event("2025-10-01T21:30:00")],
    ):
        limit = {GRADED: 1, "of": known}
        assert seen("2025-11-28T22:15:00", FRIDAY, **limit) == []
        assert seen("2025-11-28T22:16:00", FRIDAY, **limit) == [overdue(FRIDAY, "45 minutes")]
    assert seen("2025-11-28T22:16:00", FRIDAY, of=[event(FRIDAY)]) == [overdue(FRIDAY, "45 minutes")]


@pytest.mark.parametrize(
    ("newest", "missing", "until"),
    [
        (WEDNESDAY, "2025-11-27 21:30", "2025-11-28T18:00:00"),  # of the holiday, which had nothing new
        (THURSDAY, "2025-11-28 21:30", "2025-12-01T21:00:00"),
        (FRIDAY, "2025-12-01 21:30", "2025-12-02T21:00:00"),
    ],
)
def test_a_day_has_until_a_close_to_begin_its_batch(newest, missing, until):
    close, limit = at(until), {STARTED: 1, "started": newest, "of": [event(newest)]}
    for later, found in ((0, []), (1, [f"no batch of nyse since {missing} UTC"]), (60 * 60, None)):
        now = close + timedelta(seconds=later)
        subjects = seen(f"{now:%Y-%m-%dT%H:%M:%S}", **limit)
        # an hour later another batch is due: it is still the same one that is missing
        assert subjects == ([f"no batch of nyse since {missing} UTC"] if found is None else found)


def test_a_batch_that_has_begun_is_not_missing():
    limit = {STARTED: 1, "of": [event(WEDNESDAY)]}
    assert seen("2025-11-28T18:30:00", started=THURSDAY, **limit) == []


def test_a_stack_that_was_down_for_weeks_gets_the_minutes():
    limit = {STARTED: 1, "of": [event("2025-10-01T21:30:00")], "started": "2025-10-01T21:30:00"}
    assert seen("2025-11-28T22:00:00", up="2025-11-28T21:50:00", **limit) == []
    assert seen("2025-11-28T22:06:00", up="2025-11-28T21:50:00", **limit) != []
    known = {STARTED: 1, "of": [event(WEDNESDAY)], "started": WEDNESDAY}
    assert seen("2025-12-01T21:10:00", up="2025-12-01T21:00:00", **known) == []
    assert seen("2025-12-01T21:16:00", up="2025-12-01T21:00:00", **known) != []


def test_ten_closes_are_reported_and_fewer_at_the_end_of_what_is_known():
    details = event(FRIDAY)["extra"]["details"]
    assert details["next_close"] == "2025-12-01T21:00:00+00:00"
    assert details["later_closes"].split()[0] == "2025-12-02T21:00:00+00:00"
    assert len(details["later_closes"].split()) == 9
    assert Trading(date(2025, 11, 28)).figures(SCHEMA.to_frame())["later_closes"] is None
