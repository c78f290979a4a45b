"""The output of a task that works on a batch: one XCom, because each XCom is a request to Airflow."""

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

from rankalpha.pipeline.reuse import CARRIED_FROM, MADE_BY, REUSED_FROM

PUBLISH = "publish"  # the param of a run; when it is off, the output is not published
REUSE = "reuse"  # another param; when it is off, no earlier version is used again
OUTPUT = "return_value"  # Airflow's own key for what a task returns
PUBLISHED = "published"  # another XCom: the path of a version that was published of an old batch


class Output(TypedDict):
    """The first three are None, and `failed` is false, when the task has pushed no output.

    `batch` is the key of the batch, `result` what was reported of it, see `rankalpha.stages.result`, and
    `container` what a stage's container has used, see `rankalpha.containers.usage.container_report`.
    `failed` says that the stage has failed: a person may mark its task as a success all the same. The others
    are there when they are known, see `rankalpha.pipeline.reuse`.
    """

    batch: str | None
    result: dict[str, Any] | None
    container: dict[str, Any] | None
    failed: bool
    made_by: NotRequired[str]
    reused_from: NotRequired[str]
    carried_over_from: NotRequired[str]


ORIGIN = (MADE_BY, REUSED_FROM, CARRIED_FROM)  # keys of an output, and of the event that publishes it


def push_output(
    ti: Any,
    batch: str,
    result: dict[str, Any] | None = None,
    container: dict[str, Any] | None = None,
    *,
    failed: bool = False,
    **origin: str | None,
) -> Output:
    """Push the output of a task, also of a stage that has failed; `origin` has keys of ORIGIN."""
    output = Output(batch=batch, result=result, container=container, failed=failed)
    _add_origin(output, origin)
    ti.xcom_push(key=OUTPUT, value=output)
    return output


def pull_output(ti: Any, task_id: str) -> Output:
    """Return the output of a task of the same run."""
    pushed: Mapping[str, Any] = ti.xcom_pull(task_ids=task_id, key=OUTPUT) or {}
    output = Output(
        batch=pushed.get("batch"),
        result=pushed.get("result"),
        container=pushed.get("container"),
        failed=bool(pushed.get("failed")),
    )
    _add_origin(output, pushed)
    return output


def _add_origin(output: Output, known: Mapping[str, Any]) -> None:
    for key in ORIGIN:
        if value := known.get(key):
            output[key] = value  # type: ignore[literal-required]
