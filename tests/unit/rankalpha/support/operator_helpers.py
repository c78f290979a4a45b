"""Runs a stage's task as Airflow does: execute, the trigger while it is deferred, then what follows."""

import asyncio
import json
from contextlib import aclosing
from pkgutil import resolve_name
from typing import Any

from airflow.sdk.exceptions import TaskDeferred

from rankalpha.containers.trigger import StageTrigger
from rankalpha.operators import StageOperator
from tests.unit.rankalpha.support.demo_stage import stage
from tests.unit.rankalpha.support.task_context import TaskInstance, context


def task(**parts: Any) -> StageOperator:
    """Return the task of stage `demo`; `consumes` are its datasets, the rest is the stage's."""
    consumes = parts.pop("consumes", ())
    return StageOperator(task_id="run_demo", stage=stage(**parts), consumes=consumes)


def as_triggerer(trigger: StageTrigger, ti: TaskInstance) -> StageTrigger:
    """Return the trigger as the triggerer makes it of what the database holds."""
    path, arguments = trigger.serialize()
    made: StageTrigger = resolve_name(path)(**json.loads(json.dumps(arguments)))
    made.task_instance = ti
    return made


def events(trigger: StageTrigger) -> list[Any]:
    """Run a trigger to its end and return what it fires."""

    async def fire() -> list[Any]:
        async with aclosing(trigger.run()) as fired:
            return [event.payload async for event in fired]

    return asyncio.run(fire())


def run_task(operator: StageOperator, ti: TaskInstance | None = None, **more: Any) -> TaskInstance:
    """Run a task to its end, however often it defers; return its instance, which is also that of an error."""
    ti = ti or TaskInstance()
    given = context(ti=ti, task=operator, **more)
    try:
        try:
            operator.execute(given)
        except TaskDeferred as deferred:
            (event,) = events(as_triggerer(deferred.trigger, ti))
            kwargs = {**deferred.kwargs, "event": event}
            operator.resume_execution(deferred.method_name, kwargs, given)
    except Exception as error:
        error.ti = ti
        raise
    return ti
