"""What a task that works on a batch leaves to those after it: one XCom, for each is a request to Airflow."""

from collections.abc import Mapping
from typing import Any, TypedDict

PUBLISH = "publish"  # the param of a run: off, and its output is not published
OUTPUT = "return_value"  # Airflow's own key for what a task returns


class Output(TypedDict):
    """All are None when the task has left nothing.

    `batch` is the key of the batch, `result` what was reported of it, see `rankalpha.stages.result`, and
    `container` what a stage's container has used, see `rankalpha.containers.usage.told`.
    """

    batch: str | None
    result: dict[str, Any] | None
    container: dict[str, Any] | None


def leave(
    ti: Any,
    batch: str,
    result: dict[str, Any] | None = None,
    container: dict[str, Any] | None = None,
) -> None:
    """Leave the output of a task, also of a stage that has failed."""
    ti.xcom_push(key=OUTPUT, value=Output(batch=batch, result=result, container=container))


def left(ti: Any, task_id: str) -> Output:
    """Return what a task of the same run has left."""
    found: Mapping[str, Any] = ti.xcom_pull(task_ids=task_id, key=OUTPUT) or {}
    return Output(batch=found.get("batch"), result=found.get("result"), container=found.get("container"))
