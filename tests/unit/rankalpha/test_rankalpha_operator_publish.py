"""Publishing a dataset: what is checked before, and what its event says."""

from datetime import timedelta

import pytest
from airflow.sdk import DAG, Asset
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from airflow.sdk.execution_time.context import OutletEventAccessors
from rankalpha_helpers import KEY, RESULT, TaskInstance, context, stage

from rankalpha.contract import Contract
from rankalpha.operators import PublishOperator, StageOperator

DATASET = Asset(name="demo", uri="rankalpha://demo")


def publish(result=RESULT, batch=KEY, key=KEY, params=None, **least):
    contract = Contract(owner="rankalpha", freshness=timedelta(hours=26), **least)
    with DAG("rankalpha_demo", schedule=None):
        task = PublishOperator(task_id="publish_demo", dataset=DATASET, contract=contract)
        StageOperator(task_id="run_demo", stage=stage()) >> task
    ti = TaskInstance(batch=batch, result=result)
    events = OutletEventAccessors()
    try:
        task.execute(context(key, ti, outlet_events=events, params=params or {}))
    except Exception as error:
        error.events = events
        raise
    assert ti.asked == ["run_demo", "run_demo"]
    return events


def test_a_published_event_is_of_the_batch_and_carries_the_result():
    event = publish()[DATASET]
    assert event.extra == {**RESULT, "batch": KEY}
    assert event.partition_keys == {KEY}


def test_a_run_without_a_key_publishes_its_batch_all_the_same():
    assert publish(key=None)[DATASET].partition_keys == {KEY}


def test_publishing_is_done_in_the_pool_of_one_slot():
    contract = Contract(owner="rankalpha", freshness=timedelta(hours=26))
    task = PublishOperator(task_id="publish_demo", dataset=DATASET, contract=contract)
    assert (task.pool, task.pool_slots, task.outlets) == ("publish", 1, [DATASET])


def test_a_broken_contract_publishes_nothing():
    with pytest.raises(AirflowFailException) as caught:
        publish(min_rows=100, min_symbols=50)
    assert str(caught.value) == (
        f"batch {KEY} is not published in demo: "
        "rows is 3, at least 100 expected; symbols is 2, at least 50 expected"
    )
    assert len(caught.value.events) == 0


def test_a_missing_result_is_allowed_where_none_is_required():
    assert publish(result=None)[DATASET].extra == {"batch": KEY}


def test_a_missing_result_publishes_nothing_where_one_is_required(monkeypatch):
    monkeypatch.setenv("RANKALPHA_REQUIRE_RESULT", "true")
    with pytest.raises(
        AirflowFailException, match="not published in demo: the stage reported no result"
    ) as caught:
        publish(result=None)
    assert len(caught.value.events) == 0


def test_a_result_is_enough_where_one_is_required(monkeypatch):
    monkeypatch.setenv("RANKALPHA_REQUIRE_RESULT", "true")
    assert publish()[DATASET].partition_keys == {KEY}


def test_nothing_is_published_without_a_batch():
    with pytest.raises(AirflowFailException, match="run_demo left no batch to publish") as caught:
        publish(batch=None, result=None)
    assert len(caught.value.events) == 0


def test_a_trial_by_airflow_tasks_test_publishes_nothing(monkeypatch):
    monkeypatch.setattr(TaskInstance, "run_id", "__airflow_temporary_run_2025-01-01T00:00:00+00:00__")
    with pytest.raises(AirflowSkipException, match="publishes nothing") as caught:
        publish()
    assert len(caught.value.events) == 0


def test_a_run_that_was_told_not_to_publish_checks_and_skips():
    with pytest.raises(AirflowSkipException, match=f"{KEY} is fit to publish; this run was told not to"):
        publish(params={"publish": False})
    with pytest.raises(AirflowFailException, match="rows is 0"):
        publish(result={**RESULT, "rows": 0}, params={"publish": False})
