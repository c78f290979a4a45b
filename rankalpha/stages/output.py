"""The output of a task that works on a batch: one XCom, because each XCom is a request to Airflow."""

from collections.abc import Mapping
from typing import Any, TypedDict

PUBLISH = "publish"  # the param of a run; when it is off, the output is not published
OUTPUT = "return_value"  # Airflow's own key for what a task returns


class Output(TypedDict):
    """All are None when the task has pushed no output.

    `batch` is the key of the batch, `result` what was reported of it, see `rankalpha.stages.result`, and
    `container` what a stage's container has used, see `rankalpha.containers.usage.container_report`.
    `failed` says that the stage has failed: a person may mark its task as a success all the same.
    """

    batch: str | None
    result: dict[str, Any] | None
    container: dict[str, Any] | None
    failed: bool


def push_output(
    ti: Any,
    batch: str,
    result: dict[str, Any] | None = None,
    container: dict[str, Any] | None = None,
    *,
    failed: bool = False,
) -> None:
    """Push the output of a task, also of a stage that has failed."""
    output = Output(batch=batch, result=result, container=container, failed=failed)
    ti.xcom_push(key=OUTPUT, value=output)


def pull_output(ti: Any, task_id: str) -> Output:
    """Return the output of a task of the same run."""
    pushed: Mapping[str, Any] = ti.xcom_pull(task_ids=task_id, key=OUTPUT) or {}
    return Output(
        batch=pushed.get("batch"),
        result=pushed.get("result"),
        container=pushed.get("container"),
        failed=bool(pushed.get("failed")),
    )
