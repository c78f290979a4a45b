"""Waits in the triggerer for a stage to end, so that no worker is held; `follow` does the work."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
from airflow.triggers.base import BaseTrigger, TriggerEvent

from rankalpha import masking
from rankalpha.containers import task_log
from rankalpha.containers.follow import Follower
from rankalpha.containers.patience import in_thread, patiently
from rankalpha.containers.task_state import state_of
from rankalpha.logs import bind_batch
from rankalpha.runners import runner
from rankalpha.runners.failures import StageFailed
from rankalpha.runners.line import Mark, later_mark


class StageTrigger(BaseTrigger):
    """Fires once with `{"end": "ended" | "overdue", "usage": Usage | None}` or `{"error": <what happened>}`.

    An end also has `left_out` when output is missing in the log, because a triggerer that logs much may lose
    its own last lines.

    `container` is the container's id, `limit` the seconds that it may run for, `secrets` names variables of
    its environment that must not be logged, and `written` is the Mark up to which its task has logged it.
    """

    def __init__(self, container: str, limit: float, secrets: list[str], written: Sequence[Any] = ()) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.container = container
        self.limit = limit
        self.secrets = secrets
        self.written = Mark(*written)

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """See BaseTrigger."""
        arguments = {
            "container": self.container,
            "limit": self.limit,
            "secrets": self.secrets,
            "written": list(self.written),
        }
        return f"{type(self).__module__}.{type(self).__qualname__}", arguments

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Log the stage's output, from where an earlier triggerer stopped, until the stage ends."""
        engine = runner()
        try:
            env = await patiently(self.log, engine.environment, self.container)
            bind_batch(env["RANKALPHA_BATCH"])
            masking.mask(env, self.secrets)
            earlier = await asyncio.to_thread(task_log.written_by_triggerers, self.task_instance)
            written = later_mark(self.written, earlier)
            follower = Follower(engine, self.container, task_log.write, self.log, written)
            end = await follower.follow(timedelta(seconds=self.limit))
            event: dict[str, Any] = {"end": end, "usage": follower.usage}
            if follower.left_out:
                event["left_out"] = follower.left_out
        except StageFailed as error:
            event = {"error": str(error)}
        yield TriggerEvent(event)  # type: ignore[no-untyped-call]

    async def on_kill(self) -> None:
        """Stop the stage of a task that a person has cleared or marked, and set it aside.

        Airflow calls this also when another triggerer has taken over the trigger. The task is then still
        deferred, and its stage goes on.
        """
        ti: Any = self.task_instance
        if await asyncio.to_thread(state_of, ti, RuntimeTaskInstance) == "deferred":
            return
        engine = runner()
        await in_thread(engine.stop, self.container)
        await in_thread(engine.set_aside, self.container, ti.try_number)
