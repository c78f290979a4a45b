"""Publishes a batch at once: with the end of the task that made it.

To start a task takes longer than to check a result. So the task that has made it evaluates the contract, and
when nothing stands in the way, its success emits the event. Airflow's API server then marks the publishing
task as a success, see `rankalpha.joins.at_once`. In every other case, and when anything fails meanwhile, the
publishing task runs: it has attempts of its own, and a person may clear it.
"""

from typing import Any

from airflow.sdk import BaseOperator, Context

from rankalpha.operators.publish import PublishOperator
from rankalpha.stages.output import Output

AT_ONCE = "Published batch %s in %s with this task; %s need not start"


def publish_at_once(task: BaseOperator, context: Context, output: Output) -> None:
    """Let the success of `task` emit the event of its output, when nothing stands in the way."""
    publisher = _publisher(task)
    if publisher is None:
        return
    try:
        extra = publisher.checked_at_once(context, output)
    except Exception as error:  # noqa: BLE001  the work is done, and publishing has attempts of its own
        task.log.warning("Left to %s: %s", publisher.task_id, error)
        return
    if extra is not None:
        publisher.emit(context, extra)
        task.outlets = [publisher.dataset]  # Airflow emits what a task has as outlets when it ends
        task.log.info(AT_ONCE, output["batch"], publisher.dataset.name, publisher.task_id)


def published_at_once(context: Context) -> None:
    """Run the callbacks of the publishing task when it does not run itself; an `on_success_callback`."""
    task: Any = context["task"]
    publisher = _publisher(task)
    if publisher is not None and publisher.dataset in task.outlets:
        for callback in publisher.on_success_callback:
            callback({**context, "task": publisher})


def _publisher(task: BaseOperator) -> PublishOperator | None:
    """Return the task that publishes what `task` makes; None without one."""
    following = task.downstream_list if task.downstream_task_ids else ()
    return next((each for each in following if isinstance(each, PublishOperator)), None)
