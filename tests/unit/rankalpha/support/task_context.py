"""What Airflow gives to a task: its instance, its run's context, and the state stores of datasets."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from airflow.sdk import Asset
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

from rankalpha.pipeline.batch import BATCHES_KEY
from rankalpha.stages.output import OUTPUT
from tests.unit.rankalpha.support.demo_stage import KEY

OUTPUTS = ("batch", "result", "container", "failed")


class TaskInstance:
    """The part of a task instance that the operators use; keeps XComs in memory.

    The parts in `OUTPUTS` are the output of the task before it, the rest its other XComs.
    """

    dag_id = "rankalpha_demo"
    task_id = "run_demo"
    run_id = "manual__1"
    map_index = -1
    try_number = 1
    max_tries = 3
    log_url = "http://airflow/log"

    def __init__(self, **xcoms: Any) -> None:
        output = {key: xcoms.pop(key) for key in OUTPUTS if key in xcoms}
        self.xcoms = {**xcoms, **({OUTPUT: output} if output else {})}
        self.asked: list[Any] = []

    @property
    def output(self) -> Any:
        """The output of the task before it."""
        return self.xcoms[OUTPUT]

    get_task_states = staticmethod(RuntimeTaskInstance.get_task_states)
    get_dr_count = staticmethod(RuntimeTaskInstance.get_dr_count)

    def xcom_push(self, key: str, value: Any) -> None:
        json.dumps(value)  # as Airflow does
        self.xcoms[key] = value

    def xcom_pull(self, task_ids: str, key: str) -> Any:
        self.asked.append(task_ids)
        return self.xcoms.get(key)


def published(**keys: list[str]) -> dict[Asset, dict[str, list[str]]]:
    """Return the state stores of datasets: for each name the batches that were published, if any."""
    return {
        Asset(name=name, uri=f"rankalpha://{name}"): {BATCHES_KEY: batches} if batches else {}
        for name, batches in keys.items()
    }


def context(key: str | None = KEY, ti: TaskInstance | None = None, **more: Any) -> Any:
    """Return a run's context; `key` is its partition key."""
    run = SimpleNamespace(
        partition_key=key,
        logical_date=None,
        run_after=datetime(2025, 11, 20, 6, tzinfo=UTC),
        run_type="manual",
    )
    return {"ti": ti or TaskInstance(), "dag_run": run, "asset_state_store": {}, **more}
