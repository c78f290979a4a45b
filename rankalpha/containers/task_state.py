"""What Airflow says about the state of a task instance, asked through a running task or a trigger."""

from typing import Any

# a scheduler, worker or triggerer works on it, or it waits for one
ACTIVE = frozenset(
    {"queued", "scheduled", "running", "deferred", "up_for_retry", "up_for_reschedule", "restarting"}
)
ACTIVE_RUN = ("queued", "running")


def state_of(ti: Any, airflow: Any = None) -> str | None:
    """Return the state of a task instance; None when it has none, or no longer exists.

    A running task's `ti` asks Airflow itself; a trigger's cannot, and needs `airflow`, see `state`.
    """
    map_index = -1 if ti.map_index is None else ti.map_index
    return state(airflow or ti, ti.dag_id, ti.task_id, ti.run_id, map_index)


def state(airflow: Any, dag_id: str, task_id: str, run_id: str, map_index: int) -> str | None:
    """Return the state of any task instance, see `state_of`; an index of -1 means that it is not mapped.

    `airflow` has the method `get_task_states` of a running task's `ti`.
    """
    states = airflow.get_task_states(dag_id=dag_id, task_ids=[task_id], run_ids=[run_id])
    key = f"{task_id}_{map_index}" if map_index >= 0 else task_id
    value: str | None = states.get(run_id, {}).get(key)
    return value


def run_is_active(ti: Any, dag_id: str, run_id: str) -> bool:
    """Return whether a DAG run exists and has not ended; `ti` is that of a running task."""
    return bool(ti.get_dr_count(dag_id, run_ids=[run_id], states=list(ACTIVE_RUN)))
