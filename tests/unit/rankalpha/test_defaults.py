"""Failures count as tries, deaths do not."""

import pytest
from airflow.sdk import RetryAction

from rankalpha.defaults import DEATHS, CountedFailures, default_args
from rankalpha.runners.failures import StageFailed, StageLeft
from tests.unit.rankalpha.support.task_context import TaskInstance, context

FAILED, LEFT = StageFailed("it broke"), StageLeft("stopped by Airflow")


@pytest.fixture(autouse=True)
def one_retry(monkeypatch):
    monkeypatch.setenv("RANKALPHA_RETRIES", "1")


def decided(store: dict[str, int], error: Exception, group: int = 6) -> RetryAction:
    """Return what is done about a task's error; the store is the one that Airflow keeps for the task."""
    given = context(ti=TaskInstance()) | {"task_state_store": Store(store)}
    return CountedFailures().evaluate(error, 1, group, given).action


class Store:
    """A task's store, in memory."""

    def __init__(self, values: dict[str, int]) -> None:
        self.get, self.set = values.get, values.__setitem__


def test_a_task_fails_for_good_after_as_many_failures_as_it_may_be_tried_again():
    store: dict[str, int] = {}
    assert [decided(store, FAILED) for _ in "12"] == [RetryAction.DEFAULT, RetryAction.FAIL]


def test_a_try_that_airflow_has_ended_does_not_count():
    store: dict[str, int] = {}
    errors = [LEFT, FAILED, LEFT, FAILED]
    decisions = [RetryAction.DEFAULT] * 3 + [RetryAction.FAIL]
    assert [decided(store, error) for error in errors] == decisions


def test_a_cleared_task_begins_anew():
    """Airflow raises `max_tries` then."""
    store: dict[str, int] = {}
    assert [decided(store, FAILED) for _ in "12"][-1] is RetryAction.FAIL
    assert decided(store, FAILED, group=8) is RetryAction.DEFAULT


def test_without_a_store_airflows_own_count_decides():
    assert CountedFailures().evaluate(FAILED, 1, 6).action is RetryAction.DEFAULT


def test_a_task_may_die_some_times_more_than_it_may_fail():
    assert default_args()["retries"] == 1 + DEATHS
