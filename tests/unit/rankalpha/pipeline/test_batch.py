import logging
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rankalpha.pipeline.batch import BatchError, batch_of, earlier, key_of, new_batch, parse_key
from tests.unit.rankalpha.support.demo_stage import KEY
from tests.unit.rankalpha.support.task_context import context, published

log = logging.getLogger("test")
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2024, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def run(key, **keys):
    stores = published(**keys)
    return context(key, asset_state_store=stores), list(stores)


def test_key_is_utc_to_the_second():
    moment = datetime(2025, 11, 20, 7, 0, 5, 999_999, tzinfo=timezone(timedelta(hours=1)))
    assert key_of(moment) == "2025-11-20T06:00:05"


@given(MOMENTS)
def test_a_key_names_its_moment(moment):
    assert parse_key(key_of(moment)) == moment.replace(microsecond=0)


@given(MOMENTS, MOMENTS)
def test_keys_sort_by_time(one, other):
    assert (key_of(one) < key_of(other)) == (one.replace(microsecond=0) < other.replace(microsecond=0))


@pytest.mark.parametrize(
    "key",
    [
        "today",
        "",
        "2025-11-20",
        "2025-11-20T06:00",
        "2025-11-20 06:00:00",
        "2025-02-30T06:00:00",
        "2025-11-20T06:00:00Z",
        "2025-11-20T06:00:00+00:00",
        " 2025-11-20T06:00:00",
        "../../x",
    ],
)
def test_a_malformed_key_is_named(key):
    with pytest.raises(BatchError, match="is not a batch key; expected a UTC time such as"):
        parse_key(key)


def test_a_key_has_one_spelling():
    with pytest.raises(BatchError, match="is not a batch key; expected 2025-01-02T06:00:00"):
        parse_key("2025-1-2T6:0:0")


def test_a_key_of_the_future_is_refused():
    future = key_of(datetime.now(UTC) + timedelta(hours=1))
    with pytest.raises(BatchError, match=f"batch {future} lies in the future"):
        parse_key(future)


def test_the_clock_of_another_machine_may_be_a_little_ahead():
    """The scheduler makes the key of a run, and a worker uses it at once."""
    key = key_of(datetime.now(UTC) + timedelta(seconds=30))
    assert parse_key(key) > datetime.now(UTC)
    assert new_batch(context(key)) == key


def test_an_ingestion_run_takes_its_key():
    assert new_batch(context(KEY)) == KEY


def test_an_ingestion_run_without_a_key_is_the_batch_of_its_time():
    made = context(None)
    assert new_batch(made) == "2025-11-20T06:00:00"
    made["dag_run"].logical_date = datetime(2025, 11, 18, 6, tzinfo=UTC)
    assert new_batch(made) == "2025-11-18T06:00:00"


@pytest.mark.parametrize("key", ["soon", "2999-01-01T00:00:00"])
def test_an_ingestion_run_refuses_a_bad_key(key):
    with pytest.raises(BatchError):
        new_batch(context(key))


def test_a_stage_takes_the_batch_of_its_run():
    made, consumes = run(KEY, prices=["2025-11-19T06:00:00", KEY, "2025-11-21T06:00:00"])
    assert batch_of(made, consumes, log) == KEY


def test_a_batch_that_was_never_published_is_refused_with_what_to_do():
    made, consumes = run(KEY, prices=["2025-11-19T06:00:00"])
    with pytest.raises(BatchError, match=f"batch {KEY} was never published in prices; trigger without"):
        batch_of(made, consumes, log)


def test_a_run_that_datasets_have_started_is_not_asked_for_its_batch_again():
    made, consumes = run(KEY, prices=[])
    made["dag_run"].run_type = "asset_triggered"
    assert batch_of(made, consumes, log) == KEY


def test_a_batch_must_be_published_in_everything_that_is_consumed():
    made, consumes = run(KEY, scores=[KEY], sentiment=["2025-11-19T06:00:00"])
    with pytest.raises(BatchError, match="was never published in sentiment;"):
        batch_of(made, consumes, log)


@pytest.mark.parametrize("key", ["soon", "2999-01-01T00:00:00", "2025-1-2T6:0:0"])
def test_a_stage_refuses_a_bad_key(key):
    made, consumes = run(key, prices=[KEY])
    with pytest.raises(BatchError):
        batch_of(made, consumes, log)


def test_a_run_without_a_key_takes_the_newest_batch_and_says_so(caplog):
    made, consumes = run(None, prices=[KEY, "2025-11-21T06:00:00"])
    with caplog.at_level("INFO"):
        assert batch_of(made, consumes, log) == "2025-11-21T06:00:00"
    assert "taking the newest published batch, 2025-11-21T06:00:00" in caplog.text


def test_a_run_without_a_key_takes_the_newest_batch_that_is_published_in_both():
    made, consumes = run(None, scores=["2025-11-19T06:00:00", KEY], sentiment=[KEY, "2025-11-21T06:00:00"])
    assert batch_of(made, consumes, log) == KEY


def test_a_run_without_any_batch_is_refused_with_what_to_do():
    made, consumes = run(None, prices=[])
    with pytest.raises(BatchError, match="no batch is published in prices yet; trigger rankalpha_ingestion"):
        batch_of(made, consumes, log)


def test_a_run_without_a_common_batch_is_refused():
    made, consumes = run(None, scores=[KEY], sentiment=["2025-11-19T06:00:00"])
    with pytest.raises(BatchError, match="published in scores and sentiment yet"):
        batch_of(made, consumes, log)


def test_the_earlier_batch_is_that_before_by_its_key_and_not_by_time_of_publication():
    numbers = {"2025-11-21T06:00:00": 3, "2025-11-18T06:00:00": 1, "2025-11-19T06:00:00": 2, KEY: 4, "0": 5}
    figures = {key: {"rows": rows} for key, rows in numbers.items()}
    assert earlier(figures, KEY) == {"rows": 2}
    assert earlier(figures, "2025-11-18T06:00:00") == {}
    assert earlier(figures, "2025-11-22T06:00:00") == {"rows": 3}


def test_nothing_is_earlier_than_the_first_batch():
    assert earlier({}, KEY) == {}
