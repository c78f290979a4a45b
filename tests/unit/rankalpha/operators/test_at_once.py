"""Publishing with the end of the task that has made a result, or leaving it to the publishing task."""

from datetime import UTC, datetime, timedelta

import pytest
from airflow.sdk import DAG, BaseOperator
from airflow.sdk.execution_time.context import OutletEventAccessors

from rankalpha.operators import PublishOperator, given
from rankalpha.operators.at_once import publish_at_once, published_at_once
from rankalpha.pipeline.batch import TRIAL
from rankalpha.stages.output import Output
from tests.unit.rankalpha.operators.test_publish import DATASET, contract
from tests.unit.rankalpha.support.demo_stage import KEY, RESULT
from tests.unit.rankalpha.support.task_context import TaskInstance, context

BEFORE = {"2025-11-19T06:00:00": {"rows": 3}}


class Made:
    """A task that has made a result, in a run that has just begun; `last` is the task that publishes it."""

    def __init__(self, *, publishes=True, **run):
        self.told = []
        with DAG("rankalpha_demo", schedule=None):
            self.task = BaseOperator(task_id="run_demo")
            self.last = PublishOperator(
                task_id="publish_demo",
                dataset=DATASET,
                contract=contract(),
                on_success_callback=[self.told.append],
            )
            if publishes:
                self.task >> self.last
        self.ti, self.events = TaskInstance(), OutletEventAccessors()
        self.ti.try_number = run.get("attempt", 1)
        self.ti.run_id = run.get("run_id", self.ti.run_id)
        params = {"publish": run.get("publish", True)}
        self.context = context(KEY, self.ti, outlet_events=self.events, params=params, task=self.task)
        self.context["dag_run"].run_after = datetime.now(UTC) - timedelta(days=run.get("days", 0))

    def end(self, result=RESULT, batch=KEY):
        publish_at_once(
            self.task, self.context, Output(batch=batch, result=result, container=None, failed=False)
        )
        return self.task.outlets


@pytest.fixture(autouse=True)
def earlier(monkeypatch):
    """The figures of the batches that are published."""
    found = dict(BEFORE)
    monkeypatch.setattr(given, "figures", lambda _: found)
    return found


def test_its_success_emits_the_event_and_tells_whom_the_publishing_task_would():
    made = Made()
    assert made.end() == [DATASET]
    event = made.events[DATASET]
    assert (event.partition_keys, event.extra["rows"], event.extra["batch"]) == ({KEY}, 3, KEY)
    assert all(check["passed"] for check in event.extra["checks"])
    published_at_once(made.context)
    (told,) = made.told
    assert (told["task"], told["ti"]) == (made.last, made.ti)


def test_the_first_batch_of_a_dataset_is_published_at_once(earlier):
    earlier.clear()
    assert Made().end() == [DATASET]


@pytest.mark.parametrize(
    "made",
    [
        {"publish": False},
        {"attempt": 2},
        {"days": 2},
        {"run_id": f"{TRIAL}1"},
        {"publishes": False},
    ],
    ids=lambda made: next(iter(made)),
)
def test_it_publishes_nothing(made):
    made = Made(**made)
    assert made.end() == []
    assert len(made.events) == 0
    published_at_once(made.context)
    assert made.told == []


def test_what_breaks_the_contract_is_left_to_the_publishing_task():
    assert Made().end(result={**RESULT, "rows": 0}) == []


def test_a_batch_older_than_all_that_are_known_is_left_to_the_publishing_task(earlier):
    earlier |= {"2025-11-21T06:00:00": {}, "0": {}}  # a person may have posted an event with any key
    del earlier["2025-11-19T06:00:00"]
    assert Made().end() == []


def test_a_task_that_has_no_batch_is_left_to_the_publishing_task():
    assert Made().end(batch=None) == []


def test_an_error_is_left_to_the_publishing_task(monkeypatch, capsys):
    def fail(_):
        raise OSError("Airflow's API does not answer")

    monkeypatch.setattr(given, "figures", fail)
    made = Made()
    assert made.end() == []
    assert len(made.events) == 0
    assert "Left to publish_demo: Airflow's API does not answer" in capsys.readouterr().out
