"""What Airflow says of a task instance at this moment, asked by a task or a trigger."""

from typing import Any

from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

# in the hands of a scheduler, worker or triggerer, or waiting for one
ACTIVE = frozenset(
    {"queued", "scheduled", "running", "deferred", "up_for_retry", "up_for_reschedule", "restarting"}
)
ACTIVE_RUN = ("queued", "running")


def state_of(ti: Any) -> str | None:
    """Return the state of a task instance; None when it has none, or is there no more."""
    return state(ti.dag_id, ti.task_id, ti.run_id, -1 if ti.map_index is None else ti.map_index)


def state(dag_id: str, task_id: str, run_id: str, map_index: int) -> str | None:
    """Return the state of a task instance, -1 being the index of one that is not mapped; see `state_of`."""
    states = RuntimeTaskInstance.get_task_states(dag_id=dag_id, task_ids=[task_id], run_ids=[run_id])
    key = f"{task_id}_{map_index}" if map_index >= 0 else task_id
    found: str | None = states.get(run_id, {}).get(key)
    return found


def run_is_active(dag_id: str, run_id: str) -> bool:
    """Tell whether a DAG run is there and has not ended."""
    return bool(RuntimeTaskInstance.get_dr_count(dag_id, run_ids=[run_id], states=list(ACTIVE_RUN)))
