"""The join of scores and sentiment: Airflow's own scheduler code on PostgreSQL, without running tasks.

Each example publishes a random history of events and lets the scheduler create what is due after every one:
also two schedulers at once, or one that is killed before it commits; and grading may be paused meanwhile.
"""

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.scheduler.joining import (
    Pipeline,
    fresh_keys,
    publish_together,
    runs_are_made_while_paused,
    set_paused,
)
from tests.support.figures import EXAMPLES

HALVES = ("scores", "sentiment")


@pytest.fixture(scope="module")
def pipeline(airflow_db):
    yield Pipeline()
    set_paused("rankalpha_grading", False)


class Model:
    """What should be: which halves of a batch are valid, and which wait to be graded."""

    def __init__(self):
        self.valid = set()  # (key, half): published since the batch's prices were
        self.waiting = set()  # (key, half): published since the last grading of the key
        self.newest = {}  # (key, half): its event
        self.due = set()  # keys whose grading is due, or would be if grading were not paused

    def publish(self, key, events):
        """Let these events (by dataset) be there."""
        if "prices" in events:
            self.valid -= {(key, half) for half in HALVES}
            return
        for half, event in events.items():
            self.newest[key, half] = event
            self.valid.add((key, half))
            self.waiting.add((key, half))
        if all((key, half) in self.valid | self.waiting for half in HALVES):
            self.due.add(key)

    def check(self, runs):
        """Let all that is due be graded by these runs (keys and consumed events), and nothing else."""
        assert sorted(key for key, _ in runs) == sorted(self.due)
        for key, consumed in runs:
            assert {(name, of) for name, of, _ in consumed} == {("scores", key), ("sentiment", key)}
            assert {(half, key, self.newest[key, half]) for half in HALVES} <= consumed
            self.waiting -= {(key, half) for half in HALVES}
        self.due.clear()


steps = st.tuples(
    st.sampled_from(["prices", "scores", "sentiment", "both halves at once"]),
    st.integers(0, 2),  # the batch
    st.sampled_from(["alone", "two", "killed"]),  # the scheduler
    st.booleans(),  # grading is paused
)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(steps, min_size=1, max_size=12))
def test_a_random_history_is_joined_exactly(pipeline, figures, history):
    keys, model = fresh_keys(), Model()
    for what, index, scheduler, paused in history:
        key = keys[index]
        set_paused("rankalpha_grading", paused)
        if what == "both halves at once":
            events = publish_together(pipeline, key)
        else:
            events = {what: pipeline.publish(what, key)}
        runs = pipeline.tick(scheduler)
        model.publish(key, events)
        if paused and not runs_are_made_while_paused():
            assert runs == []
            continue
        model.check(runs)
        figures["gradings"] += len(runs)
    set_paused("rankalpha_grading", False)
    model.check(pipeline.tick())
    figures.add(
        **{
            "histories": 1,
            "batches": len({index for _, index, _, _ in history}),
            "halves at the same instant": sum(what.startswith("both") for what, *_ in history),
            "two schedulers at once": sum(kind == "two" for *_, kind, _ in history),
            "schedulers killed": sum(kind == "killed" for *_, kind, _ in history),
            "events during a pause": sum(paused for *_, paused in history),
        }
    )


def test_events_of_one_batch_at_the_same_instant_are_joined(pipeline):
    keys = fresh_keys(30)
    for key in keys:
        publish_together(pipeline, key)
    assert Counter(key for key, _ in pipeline.tick("two")) == Counter(keys)


def test_stock_airflow_loses_such_batches(pipeline):
    """What publishing one at a time and BatchAssetManager's lock are there for: Airflow issue 71070."""
    from airflow.assets.manager import AssetManager

    keys = fresh_keys(30)
    for key in keys:
        publish_together(pipeline, key, manager=AssetManager())
    assert len(pipeline.tick()) < len(keys)
