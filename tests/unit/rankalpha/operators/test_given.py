"""Which versions a run reads: those that it has joined, or those that are published now."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from airflow.sdk import Asset

from rankalpha.operators.given import inputs_of
from rankalpha.pipeline.batch import ASSET_TRIGGERED
from rankalpha.pipeline.market import DEFAULT_MARKET
from rankalpha.pipeline.versions import VERSIONS_KEY
from tests.unit.rankalpha.support.demo_stage import KEY
from tests.unit.rankalpha.support.task_context import context

PRICES = Asset(name="prices", uri="rankalpha://prices")


def version(name):
    """What an event holds of a version."""
    return {"path": f"prices/{KEY}/{name}", "sha256": "0a" * 32, "files": {}, "inputs": {}}


def event(name, moment, **parts):
    extra = {"version": version(name)} if name else {}
    return SimpleNamespace(extra=extra, timestamp=moment, partition_key=KEY, **parts)


def read(triggered=True, events=(), stored=None, cleared=False):
    given = context(asset_state_store={PRICES: {VERSIONS_KEY: {KEY: stored} if stored else {}}})
    given["dag_run"].run_type = ASSET_TRIGGERED if triggered else "manual"
    given["triggering_asset_events"] = {PRICES: list(events)}
    given["ti"].max_tries = 4 if cleared else 3
    task = SimpleNamespace(consumes=[PRICES], retries=3)
    found = inputs_of(given, task, KEY, DEFAULT_MARKET)
    return found["prices"].path.rpartition("/")[2] if found else None


EARLY, LATE = datetime(2025, 11, 20, 7, tzinfo=UTC), datetime(2025, 11, 20, 8, tzinfo=UTC)
JOINED = [event("ingestion-2-1", LATE), event("ingestion-1-1", EARLY)]
NOW = version("ingestion-3-1")


def test_a_run_of_events_reads_the_newest_that_it_has_joined_and_not_what_came_after():
    assert read(events=JOINED, stored=NOW) == "ingestion-2-1"


def test_a_joined_event_without_a_version_is_not_replaced_by_another():
    assert read(events=[event(None, LATE)], stored=NOW) is None


@pytest.mark.parametrize("how", [{"cleared": True}, {"triggered": False}])
def test_a_task_that_was_cleared_or_started_by_hand_reads_what_is_published_now(how):
    assert read(events=JOINED, stored=NOW, **how) == "ingestion-3-1"


def test_a_batch_from_before_versions_has_none():
    assert read(triggered=False) is None
