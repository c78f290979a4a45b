"""Sweeps the containers that nobody will collect, on the engine of the worker that runs the task.

A stage removes its container when it has succeeded and sets it aside when it has failed. The others belong to
tasks that were killed with their worker or to runs that were deleted, or were set aside long ago. One of
`make plan` has no task, and is left alone until the time that it carries.
"""

import logging
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from rankalpha.containers.task_state import ACTIVE, run_is_active, state
from rankalpha.runners import runner
from rankalpha.runners.base import Runner
from rankalpha.runners.container import Container
from rankalpha.runners.failures import ContainerGone, EngineLost, StageFailed
from rankalpha.runners.identity import PREFIX, UNTIL
from rankalpha.settings import settings

log = logging.getLogger(__name__)

Outcome = Literal["stopped", "removed", "kept"]

UNSTARTED = timedelta(hours=1)  # a container is started within seconds after its creation


def sweep_containers(ti: Any) -> None:
    """Stop and remove containers; raises EngineLost, or StageFailed when some could not be swept.

    `ti` is that of the running task, which asks Airflow for the states of others.
    """
    engine = runner()
    tally: Counter[Outcome] = Counter()
    failed = []
    containers = engine.containers({f"{PREFIX}stack": settings().stack})
    for container in containers:
        try:
            tally[_sweep(ti, engine, container)] += 1
        except ContainerGone:  # its task has removed it
            continue
        except EngineLost:
            raise
        except StageFailed:
            log.exception("Container %s could not be swept", container.name)
            failed.append(container.name)
    counts = (tally["stopped"], tally["removed"], tally["kept"])
    log.info("Containers: %d checked, %d stopped, %d removed, %d kept", len(containers), *counts)
    if failed:
        raise StageFailed(f"these containers could not be swept, see above: {', '.join(failed)}")


def _sweep(ti: Any, engine: Runner, container: Container) -> Outcome:
    if container.set_aside:
        if container.running:  # it was set aside although it could not be stopped
            log.warning("Stopping container %s, which was set aside", container.name)
            engine.stop(container.id)
            return "stopped"
        return _remove(engine, container) if _expired(container) else "kept"
    task_state, active = _task_state(ti, container)
    # inspected after its task was: a container that has just ended is no orphan
    container = engine.inspect(container.id)
    if active:
        return "kept"
    if container.running:
        return _stop_orphan(engine, container, task_state)
    if container.started is None:
        unstarted = datetime.now(UTC) - container.created > UNSTARTED
        return _remove(engine, container) if unstarted else "kept"
    return _remove(engine, container) if task_state == "success" or _expired(container) else "kept"


def _task_state(ti: Any, container: Container) -> tuple[str | None, bool]:
    """Return the state of the task that a container belongs to, and whether the task is still active."""
    if until := container.labels.get(UNTIL):
        return None, datetime.now(UTC) < datetime.fromisoformat(until)
    dag, task, run, index = (container.labels[f"{PREFIX}{key}"] for key in ("dag", "task", "run", "map"))
    task_state = state(ti, dag, task, run, int(index))
    # a task that was cleared, or whose turn has not come, has no state while its run goes on
    return task_state, task_state in ACTIVE or (task_state is None and run_is_active(ti, dag, run))


def _stop_orphan(engine: Runner, container: Container, task_state: str | None) -> Outcome:
    log.warning(
        "Stopping orphan %s: it runs, but its task %s of run %s is %s",
        container.name,
        container.labels[f"{PREFIX}task"],
        container.labels[f"{PREFIX}run"],
        task_state or "gone",
    )
    engine.stop(container.id)
    engine.set_aside(container.id, int(container.labels[f"{PREFIX}try"]))
    return "stopped"


def _remove(engine: Runner, container: Container) -> Outcome:
    log.info("Removing container %s", container.name)
    engine.remove(container.id)
    return "removed"


def _expired(container: Container) -> bool:
    """Return whether an ended container was kept for inspection long enough."""
    # without an exit status the end is unknown; the process runner gives the present time instead
    ended = container.ended if container.status is not None else container.started
    age = datetime.now(UTC) - (ended or container.created)
    return age > timedelta(hours=settings().keep_failed_hours)
