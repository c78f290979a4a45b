"""Sweeps the containers that nobody will collect, on the engine of whoever runs the task.

A stage removes its container when it has succeeded and sets it aside when it has failed. What is left is of
tasks that were killed with their worker, of runs that were deleted, and what was set aside long enough ago.
"""

import logging
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Literal

from rankalpha.containers.durable import set_aside
from rankalpha.runners import runner
from rankalpha.runners.base import Container, ContainerGone, EngineLost, Runner, StageFailed
from rankalpha.runners.identity import PREFIX, is_set_aside
from rankalpha.settings import settings

log = logging.getLogger(__name__)

Outcome = Literal["stopped", "removed", "kept"]

UNSTARTED = timedelta(hours=1)  # whoever has created a container starts it within seconds


def sweep_containers() -> None:
    """Stop and remove what is left; raises EngineLost, or StageFailed when some could not be swept."""
    engine = runner()
    tally: Counter[Outcome] = Counter()
    failed = []
    found = engine.containers({f"{PREFIX}stack": settings().stack})
    for container in found:
        try:
            tally[_sweep(engine, container)] += 1
        except ContainerGone:  # its task was faster
            continue
        except EngineLost:
            raise
        except StageFailed:
            log.exception("Container %s could not be swept", container.name)
            failed.append(container.name)
    counts = (tally["stopped"], tally["removed"], tally["kept"])
    log.info("%d containers looked at: %d stopped, %d removed, %d kept", len(found), *counts)
    if failed:
        raise StageFailed(f"could not be swept, see above: {', '.join(failed)}")


def _sweep(engine: Runner, container: Container) -> Outcome:
    if is_set_aside(container.name):
        if container.running:  # whoever has set it aside could not stop it
            log.warning("Stopping container %s, which was set aside", container.name)
            engine.stop(container.id)
            return "stopped"
        return _remove(engine, container) if _expired(container) else "kept"
    state, active = _task_state(container)
    # looked at after its task was: what has just ended is not to be taken for an orphan
    container = engine.look(container.id)
    if active:
        return "kept"
    if container.running:
        return _stop_orphan(engine, container, state)
    if container.started is None:
        unstarted = datetime.now(UTC) - container.created > UNSTARTED
        return _remove(engine, container) if unstarted else "kept"
    return _remove(engine, container) if state == "success" or _expired(container) else "kept"


def _task_state(container: Container) -> tuple[str | None, bool]:
    """Return the state of the task that a container belongs to, and whether it is still worked on."""
    from rankalpha.containers.task_state import ACTIVE, run_is_active, state  # noqa: PLC0415  heavy, and not for parsing

    dag, task, run, index = (container.labels[f"{PREFIX}{key}"] for key in ("dag", "task", "run", "map"))
    found = state(dag, task, run, int(index))
    # a task that was cleared, or whose turn has not come, has no state while its run goes on
    return found, found in ACTIVE or (found is None and run_is_active(dag, run))


def _stop_orphan(engine: Runner, container: Container, state: str | None) -> Outcome:
    log.warning(
        "Stopping orphan %s: it runs, but its task %s of run %s is %s",
        container.name,
        container.labels[f"{PREFIX}task"],
        container.labels[f"{PREFIX}run"],
        state or "there no more",
    )
    engine.stop(container.id)
    set_aside(engine, container, int(container.labels[f"{PREFIX}try"]))
    return "stopped"


def _remove(engine: Runner, container: Container) -> Outcome:
    log.info("Removing container %s", container.name)
    engine.remove(container.id)
    return "removed"


def _expired(container: Container) -> bool:
    """Tell whether an ended container was kept for inspection long enough."""
    # without an exit status nobody knows the end; the process runner says at each look that it is now
    ended = container.ended if container.status is not None else container.started
    age = datetime.now(UTC) - (ended or container.created)
    return age > timedelta(hours=settings().keep_failed_hours)
