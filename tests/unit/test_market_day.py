"""A batch on a Sunday, a holiday, a half day and after a close: from its prices to a person's words."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from apps.common.stage import BATCH_FORMAT, Batch
from apps.ingestion.sources.sample import SampleSource
from apps.ingestion.trading import Trading
from datasets import PRICES_CONTRACT
from rankalpha.pipeline.sessions import MarketDay


def ingested(key, lost=0):
    """What ingestion reports of the sample for a batch, from which the newest sessions are `lost`."""
    batch = Batch(key, Path("/data"), calendar="XNYS")
    trading = Trading.of(batch)
    source = SampleSource((), batch.moment, trading.exchange)
    prices = source.fetch(source.symbols, {}).prices
    days = prices["date"].unique().sort()
    prices = prices.filter(prices["date"] <= days[-1 - lost])
    details = {"source": "csv", "replayed": False, **trading.figures(prices)}
    as_of = prices["date"].max().isoformat()
    return {"rows": prices.height, "symbols": 20, "as_of": as_of, "details": details}


def blocking(key, result):
    """The checks that block a batch, and those that warn of sessions."""
    outcomes = PRICES_CONTRACT.evaluate(key, result, {}, required=True)
    failed = [check for check in outcomes if not check["passed"]]
    return (
        [check["name"] for check in failed if check["severity"] == "block"],
        [check["name"] for check in failed if check["severity"] == "warn" and "exchange" in check["name"]],
    )


@pytest.mark.parametrize(
    ("key", "words", "newer"),
    [
        ("2026-11-29T06:00:00", "Friday's close, 27 Nov", "2026-11-30T21:00:00"),  # a Sunday
        ("2026-11-26T22:00:00", "Wednesday's close, 25 Nov", "2026-11-27T18:00:00"),  # Thanksgiving
        (
            "2026-11-27T17:30:00",
            "Wednesday's close, 25 Nov",
            "2026-11-27T18:00:00",
        ),  # a half day
        ("2026-11-27T18:30:00", "Friday's close, 27 Nov", "2026-11-30T21:00:00"),  # after its close
        (
            "2026-11-25T21:30:00",
            "Wednesday's close, 25 Nov",
            "2026-11-27T18:00:00",
        ),  # after a close
        ("2026-11-25T20:30:00", "Tuesday's close, 24 Nov", "2026-11-25T21:00:00"),  # before it
        (
            "2026-07-10T20:30:00",
            "Friday's close, 10 Jul",
            "2026-07-13T20:00:00",
        ),  # in summer
    ],
)
def test_grades_are_current_from_the_batch_to_the_next_close(key, words, newer):
    result = ingested(key)
    assert blocking(key, result) == ([], [])
    day, moment = MarketDay.of(result), datetime.strptime(key, BATCH_FORMAT).replace(tzinfo=UTC)
    close = datetime.fromisoformat(newer).replace(tzinfo=UTC)
    assert day.text(moment) == day.text(close - timedelta(seconds=1)) == f"{words}, current"
    assert day.text(close).startswith(f"{words}, at least 1 session behind")


@pytest.mark.parametrize(
    ("lost", "blocks", "warns", "words"),
    [
        (1, [], ["any lag behind the exchange"], "Wednesday's close, 25 Nov, 1 session behind"),
        (
            2,
            ["lag behind the exchange"],
            ["any lag behind the exchange"],
            "Tuesday's close, 24 Nov, 2 sessions behind",
        ),
    ],
)
def test_a_source_that_is_frozen_warns_after_one_session_and_is_blocked_after_two(lost, blocks, warns, words):
    key = "2026-11-28T06:00:00"
    result = ingested(key, lost)
    assert blocking(key, result) == (blocks, warns)
    assert MarketDay.of(result).text(datetime(2026, 11, 28, 6, tzinfo=UTC)) == words
