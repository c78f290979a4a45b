"""Which versions an event names and a state store keeps, and which are needed."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from apps.common.bounds import BODY_BYTES
from rankalpha.operators.given import MOST_KEPT
from rankalpha.pipeline.batch import BatchError
from rankalpha.pipeline.versions import (
    MAX_VERSIONS,
    Version,
    earlier_versions,
    kept,
    listed,
)
from tests.unit.rankalpha.support.demo_stage import KEY

OLDER, OLDEST = "2025-11-19T06:00:00", "2025-11-18T06:00:00"


def version(name="ingestion-00000000-1", batch=KEY, folder="prices", **parts):
    """What an event holds of a version."""
    return {"path": f"{folder}/{batch}/{name}", "sha256": "0a" * 32, "files": {}, "inputs": {}, **parts}


def test_an_event_without_a_version_has_none():
    assert Version.of(None, "here") is None
    assert Version.of("1.2", "here") is None  # an image of one's own may call that its version


@pytest.mark.parametrize(
    "parts",
    [
        {"path": "../../etc/passwd"},
        {"path": "/data/prices"},
        {"path": f"prices/{KEY}/../x"},
        {"path": f"prices/{KEY}/a\n"},
        {"path": None},
        {"sha256": "0a"},
        {"sha256": None},
    ],
)
def test_a_version_that_cannot_exist_is_refused(parts):
    with pytest.raises(BatchError, match=r"^batch x in prices names a version that cannot exist: path"):
        Version.of(version(**parts), "batch x in prices")


def test_a_store_keeps_the_newest_version_of_a_batch_and_what_it_was_made_from():
    made_from = {"prices": {"path": f"prices/{KEY}/ingestion-1-1", "sha256": "0b" * 32}}
    first = listed({}, KEY, version("scorer-1-1"))
    second = listed(first, KEY, version("scorer-2-1", inputs=made_from))
    expected = {"path": f"prices/{KEY}/scorer-2-1", "sha256": "0a" * 32}
    assert second == {KEY: {**expected, "inputs": {"prices": f"prices/{KEY}/ingestion-1-1"}}}
    assert Version.of(second[KEY], "").stored == second[KEY]


def test_an_event_without_a_version_takes_that_of_its_batch_away():
    both = listed(listed({}, OLDER, version(batch=OLDER)), KEY, version())
    assert listed(both, KEY, None).keys() == {OLDER}


def test_an_event_whose_version_cannot_exist_is_not_taken_for_one_without_a_version():
    stored = listed({}, KEY, version(path="../../etc/passwd"))
    with pytest.raises(BatchError, match="cannot exist"):
        Version.of(stored[KEY], "")


def test_a_store_keeps_the_newest_batches_only():
    days = [
        f"{datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=day):%Y-%m-%dT%H:%M:%S}" for day in range(410)
    ]
    store = {}
    for day in days:
        store = listed(store, day, version(batch=day))
    assert list(store) == sorted(days, reverse=True)[:MAX_VERSIONS]


def test_what_is_no_key_of_a_batch_is_not_listed():
    assert listed({}, "yesterday", version()) == {}


def test_the_versions_of_older_batches_come_newest_first():
    store = {key: version(batch=key) for key in (OLDEST, KEY, OLDER)}
    paths = [each.path for each in earlier_versions(store, KEY, 30)]
    assert paths == [f"prices/{OLDER}/ingestion-00000000-1", f"prices/{OLDEST}/ingestion-00000000-1"]
    assert len(earlier_versions(store, KEY, 1)) == 1
    assert earlier_versions(store, OLDEST, 30) == ()


def test_what_is_published_and_what_it_was_made_from_is_kept():
    prices = {KEY: version("ingestion-2-1"), OLDER: version("ingestion-1-1", OLDER)}
    made_from = {"prices": f"prices/{KEY}/ingestion-1-1"}
    scores = {KEY: version("scorer-1-1", inputs=made_from)}
    sentiment = {KEY: version("sentiment-1-1", folder="company_reports")}
    assert kept("prices", [prices, scores, sentiment], 10) == {
        "since": "",
        "versions": sorted(
            [
                f"prices/{KEY}/ingestion-1-1",
                f"prices/{KEY}/ingestion-2-1",
                f"prices/{KEY}/scorer-1-1",
                f"prices/{OLDER}/ingestion-1-1",
            ]
        ),
    }


def test_nothing_is_said_about_batches_that_are_not_listed():
    prices = {key: version(batch=key) for key in (KEY, OLDER, OLDEST)}
    assert kept("prices", [prices], 2)["since"] == OLDER


def test_the_list_of_what_is_kept_fits_into_a_request():
    moments = (datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=day) for day in range(MAX_VERSIONS))
    keys = [f"{moment:%Y-%m-%dT%H:%M:%S}" for moment in moments]
    grades = {key: version("grading-00000000-100", key, "grades") for key in keys}
    named = kept("grades", [grades], MOST_KEPT)
    assert len(named["versions"]) == MOST_KEPT
    assert len(json.dumps(named)) < BODY_BYTES / 2


def test_versions_of_older_batches_that_newer_ones_use_are_named_with_the_newest_of_these():
    used = version(
        "scorer-1-1", OLDEST, inputs={"prices": {"path": f"prices/{OLDEST}/a", "sha256": "0b" * 32}}
    )
    scores = listed(listed(listed({}, OLDEST, used), OLDER, used), KEY, used)
    found = kept("prices", [{}, scores], 100)
    assert found["versions"] == [f"prices/{OLDEST}/a", used["path"]]
    assert found["carried"] == {OLDEST: KEY}
