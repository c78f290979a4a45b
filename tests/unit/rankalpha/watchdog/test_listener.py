"""The listener of the API server, where `airflow tasks test` loads it too: with a worker's task instance."""

from types import SimpleNamespace

import pytest
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

from rankalpha.watchdog import listener

HOOKS = ("on_task_instance_failed", "on_task_instance_success", "on_task_instance_skipped")


@pytest.fixture
def rounds(monkeypatch):
    """The DAGs of which a run was triggered."""
    from airflow.api.common import trigger_dag

    started = []
    monkeypatch.setattr(trigger_dag, "trigger_dag", lambda dag_id, **_: started.append(dag_id))
    return started


@pytest.mark.parametrize("hook", HOOKS)
def test_a_trial_of_a_task_starts_no_round(rounds, hook):
    trial = RuntimeTaskInstance.model_construct(task=None, task_id="run_scorer")
    getattr(listener, hook)(trial)
    assert rounds == []


@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize(("operator", "started"), [("StageOperator", 1), ("PublishOperator", 0)])
def test_a_stage_that_a_person_has_ended_starts_a_round(rounds, hook, operator, started):
    getattr(listener, hook)(SimpleNamespace(operator=operator))
    assert rounds == ["rankalpha_watchdog"] * started
