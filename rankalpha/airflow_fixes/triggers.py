"""Lets a deferred task go on as soon as its trigger has fired.

Airflow's triggerer collects what its triggers have fired, and records it once a second. Here a trigger sends
it when it ends.
"""

import functools
from typing import Any

from rankalpha.airflow_fixes.fix import Fix, part

MODULE = "airflow.jobs.triggerer_job_runner"


def apply() -> None:
    """Let triggers send what they have fired when they end."""
    runner = part(MODULE, "TriggerRunner")
    part(runner, "sync_state_to_supervisor")
    replaced = part(runner, "run_trigger")
    if getattr(replaced, "fixes", None):
        return

    @functools.wraps(replaced)
    async def run_trigger(self: Any, *arguments: Any, **named: Any) -> None:
        await replaced(self, *arguments, **named)
        if self.events:
            await self.sync_state_to_supervisor([])

    run_trigger.fixes = replaced  # type: ignore[attr-defined]  # so that it is applied once
    runner.run_trigger = run_trigger


FIX = Fix(name="triggers", versions="3.3", apply=apply)
