"""The join of scores and sentiment: Airflow's own scheduler code on PostgreSQL, without running tasks.

Each example publishes a random history of events and lets the scheduler create what is due after every one.
"""

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joining import Pipeline, fresh_keys, publish_at_once


@pytest.fixture(scope="module")
def pipeline(airflow_db):
    return Pipeline()


events = st.tuples(st.sampled_from(["prices", "scores", "sentiment"]), st.integers(0, 2))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(events, min_size=1, max_size=12))
def test_a_random_history_is_joined_exactly(pipeline, history):
    keys = fresh_keys()
    valid = Counter()  # (key, half) -> published since the batch's prices were last published
    published = {}  # (key, half) -> newest event
    waiting = {key: set() for key in keys}  # halves published since the last grading of the key
    for asset, index in history:
        key = keys[index]
        event = pipeline.publish(asset, key)
        runs = pipeline.tick()
        if asset == "prices":
            valid[key, "scores"] = valid[key, "sentiment"] = 0
            assert runs == []
            continue
        other = "sentiment" if asset == "scores" else "scores"
        published[key, asset] = event
        valid[key, asset] = 1
        waiting[key].add(asset)
        if other in waiting[key] or valid[key, other]:
            ((graded, consumed),) = runs
            assert graded == key
            assert {(name, of) for name, of, _ in consumed} == {("scores", key), ("sentiment", key)}
            assert {(asset, key, event), (other, key, published[key, other])} <= consumed
            waiting[key] = set()
        else:
            assert runs == []


def test_events_of_one_batch_at_the_same_instant_are_joined(pipeline):
    keys = fresh_keys(30)
    for key in keys:
        publish_at_once(pipeline, key, manager=None)
    assert Counter(key for key, _ in pipeline.tick()) == Counter(keys)


def test_stock_airflow_loses_such_batches(pipeline):
    """What publishing one at a time and BatchAssetManager's lock are there for: Airflow issue 71070."""
    from airflow.assets.manager import AssetManager

    keys = fresh_keys(30)
    for key in keys:
        publish_at_once(pipeline, key, manager=AssetManager())
    assert len(pipeline.tick()) < len(keys)
