"""Durable stages: each try group of a task has one container, found or created, never two.

A container that carries its group's name counts: it is adopted, or collected when it has ended. It stops to
count when it is set aside, which gives it another name: after its failure was reported, or after a person
or the time limit has stopped it.
"""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from rankalpha.runners.base import (
    COMMAND_EXITS,
    PERMANENT_EXITS,
    Container,
    NameTaken,
    Runner,
    StageFailed,
    StageInvalid,
)
from rankalpha.runners.identity import GROUP, SET_ASIDE, Identity, is_set_aside
from rankalpha.stages.stage import Stage, StageJob
from rankalpha.texts import QUOTED_LINE, cut

# the maker of what was created and not started is given this time, then it counts as dead
START_TIME = timedelta(seconds=10)
SIGKILLED = 137


def find_or_start(runner: Runner, job: StageJob, identity: Identity, log: Any) -> Container:
    """Return the container of the try group, started if it did not run; see Runner for the errors."""
    container = _after_maker(runner, runner.find(identity.name))
    if container is None:
        _end_older_groups(runner, identity, log)
        try:
            container = runner.create(job, identity.name)
        except NameTaken:  # somebody who does the same was faster
            return find_or_start(runner, job, identity, log)
        runner.start(container, job)
        log.info("Started container %s from image %s", identity.name, job.image)
    elif container.running or container.started:
        log.info(
            "Adopting container %s, which %s since %s",
            identity.name,
            "runs" if container.running else "has ended; it ran",
            container.started or container.created,
        )
    else:
        runner.start(container, job)
        log.info("Started container %s, which was left unstarted", identity.name)
    return runner.look(container.id)


def set_aside(runner: Runner, container: Container, try_number: int) -> None:
    """Let the container not count any more; it is kept for inspection until it is swept."""
    if not is_set_aside(container.name):
        runner.rename(container.id, f"{container.name}{SET_ASIDE}{try_number}")


def check_exit(stage: Stage, container: Container, tail: Sequence[str]) -> str:
    """Raise StageFailed or StageInvalid, with the last lines, when the container has not ended with 0.

    `tail` holds no secrets, for long lines are cut. Returns what is to be said all the same.
    """
    hint = _hint(stage, container)
    if container.status == 0:
        return hint and f"The stage says that it is done.{hint}"
    last = "\n  ".join(["", *(cut(line, QUOTED_LINE) for line in tail)]) if tail else " It printed nothing."
    status = "an unknown status" if container.status is None else container.status
    text = f"stage {stage.name}, container {container.name}, exited with {status}.{hint} Last lines:{last}"
    raise (StageInvalid if container.status in (*PERMANENT_EXITS, *COMMAND_EXITS) else StageFailed)(text)


def _hint(stage: Stage, container: Container) -> str:
    if container.out_of_memory:  # Docker says so too when it was a child, and the stage went on without it
        return f" A process of it was killed for want of memory: raise {stage.key('MEM')}."
    if container.status in COMMAND_EXITS:
        return f" Its command, or one that it calls, cannot be run: mend {stage.key('COMMAND')}."
    if container.status == SIGKILLED:
        return " It was killed, and not for its memory limit."
    return "" if container.status is not None else " What watched it was killed: nobody knows how it ended."


def _end_older_groups(runner: Runner, identity: Identity, log: Any) -> None:
    """Stop what runs for the task from before it was cleared."""
    for other in runner.containers(identity.of_task):
        if int(other.labels[GROUP]) > identity.group:
            raise StageFailed(f"the task was cleared meanwhile; what counts is container {other.name}")
        if other.running and other.name != identity.name:  # which somebody may have started meanwhile
            log.warning("Stopping container %s, whose task was cleared", other.name)
            runner.stop(other.id)


def _after_maker(runner: Runner, container: Container | None) -> Container | None:
    """Return the container as it is when its maker has started it, or had the time to.

    Docker would run one that the maker has started, and that has ended since, a second time.
    """
    while container and not (container.running or container.started):
        if datetime.now(UTC) - container.created > START_TIME:
            break
        time.sleep(0.2)
        container = runner.find(container.name)
    return container
