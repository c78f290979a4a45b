"""What the overview says of durations, resources and data quality."""

import pytest
from prometheus_client import generate_latest

from rankalpha.airflow_api import AirflowApi
from rankalpha.health.overview import _durations
from rankalpha.health.summary import durations, health, quality, usage
from rankalpha.web.metrics.families import registry
from tests.support.http_server import local_server
from tests.unit.rankalpha.support.overview_sample import (
    CONTAINER,
    NEW,
    OLD,
    WARNING,
    batch,
    dataset,
    sample,
    step,
)

INCIDENT = {"key": "failed rankalpha_scoring r", "subject": "rankalpha_scoring failed", "text": ""}


@pytest.mark.parametrize(
    ("changed", "well"),
    [
        ({}, True),
        ({"incidents": [INCIDENT]}, False),
        ({"datasets": [dataset("prices"), dataset("grades", age_hours=27.0, stale=True)]}, False),
        ({"datasets": [dataset("prices", newest_batch=None, published=None, age_hours=None)]}, True),
        ({"batches": [batch(OLD, step("scoring", checks=[WARNING]))]}, True),
    ],
)
def test_all_is_well_unless_a_person_is_needed(changed, well):
    seen = sample(**changed)
    found = health(seen)
    assert found["well"] is well
    assert seen.items() <= found.items()


@pytest.mark.parametrize(
    ("seconds", "usual", "slow"),
    [
        ([], None, False),
        ([500.0], None, False),
        ([50.0] * 4 + [500.0], 50.0, False),  # too few to say what is usual
        ([50.0] * 5 + [500.0], 50.0, True),
        ([50.0, 50.0, 900.0, 50.0, 50.0, 60.0], 50.0, False),  # one that was slow once is no measure
        ([50.0] * 5 + [109.0], 50.0, False),  # twice as long, but not by a minute
        ([100.0] * 5 + [199.0], 100.0, False),
        ([100.0] * 5 + [201.0], 100.0, True),
    ],
)
def test_a_duration_is_held_against_the_median_of_those_before_it(seconds, usual, slow):
    (one,) = durations(sample(trends=[{"step": "scoring", "seconds": seconds}]))
    newest = seconds[-1] if seconds else None
    assert one == {
        "step": "scoring",
        "seconds": newest,
        "median_seconds": usual,
        "earlier_runs": max(0, len(seconds) - 1),
        "slow": slow,
    }


def test_a_run_that_never_ran_has_no_duration():
    """As Airflow gives a queued run that a person has marked as a success, newest first."""
    runs = [{"duration": seconds} for seconds in (None, 30.0, None, 20.0, None)]
    with local_server(lambda _request: (200, {"dag_runs": runs})) as (url, _):
        seconds = _durations(AirflowApi(url, "user", "password"), "rankalpha_scoring")
    seen = sample(trends=[{"step": "scoring", "seconds": seconds}])
    (one,) = durations(seen)
    assert (one["seconds"], one["median_seconds"], one["earlier_runs"]) == (30.0, 20.0, 1)
    assert b'rankalpha_run_duration_seconds{step="scoring"} 30.0' in generate_latest(registry([seen]))


def test_a_dag_whose_runs_never_ran_has_no_durations():
    with local_server(lambda _request: (200, {"dag_runs": [{"duration": None}] * 7})) as (url, _):
        assert _durations(AirflowApi(url, "user", "password"), "rankalpha_scoring") == []


def test_the_newest_container_of_each_stage_is_shown():
    newer = {**CONTAINER, "seconds": 30.0}
    seen = sample(
        batches=[
            batch(NEW, step("ingestion", container=newer), step("scoring", None)),
            batch(OLD, step("ingestion", container=CONTAINER), step("scoring", container=CONTAINER)),
        ]
    )
    found = [(one["step"], one["batch"], one["seconds"]) for one in usage(seen)]
    assert found == [("ingestion", NEW, 30.0), ("scoring", OLD, 20.0)]
    assert list(usage(sample())) == []


def test_what_is_wrong_with_published_data_is_shown():
    forced = {"by": "ann", "reason": "a split"}
    passed = {**WARNING, "passed": True}
    seen = sample(
        batches=[
            batch(NEW, step("ingestion", checks=[WARNING, passed], forced=forced)),
            batch(OLD, step("ingestion", rows=None), step("scoring", None)),
        ]
    )
    changed, *problems = [(one["batch"], one["dataset"], one["problem"]) for one in quality(seen)]
    assert changed[:2] == (NEW, "prices")
    assert "of rows is -30" in changed[2]
    assert changed[2].endswith("(warn)")
    assert problems == [
        (NEW, "prices", "published anyway by ann: a split"),
        (OLD, "prices", "the stage reported no result"),
    ]
