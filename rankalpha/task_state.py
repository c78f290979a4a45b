"""What Airflow says of a task instance at this moment, asked by a task or a trigger."""

from typing import Any

from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance


def state_of(ti: Any) -> str | None:
    """Return the state of a task instance; None when it has none, or is there no more."""
    states = RuntimeTaskInstance.get_task_states(dag_id=ti.dag_id, task_ids=[ti.task_id], run_ids=[ti.run_id])
    mapped = ti.map_index is not None and ti.map_index >= 0
    key = f"{ti.task_id}_{ti.map_index}" if mapped else ti.task_id
    found: str | None = states.get(ti.run_id, {}).get(key)
    return found
