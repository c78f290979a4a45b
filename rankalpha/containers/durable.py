"""Durable stages: each try group of a task has one container, found or created, never two.

The container with the group's name counts: it is adopted, or collected when it has ended. It no longer counts
when it is set aside: after its failure was reported, or after a person or the time limit has stopped it.
"""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from rankalpha.runners.base import Runner
from rankalpha.runners.container import Container
from rankalpha.runners.failures import COMMAND_EXITS, PERMANENT_EXITS, NameTaken, StageFailed, StageInvalid
from rankalpha.runners.identity import GROUP, Identity
from rankalpha.stages.job import StageJob
from rankalpha.stages.stage import Stage
from rankalpha.texts import QUOTED_LINE, cut

# whoever created a container has this time to start it; then its creator counts as dead
START_TIME = timedelta(seconds=10)
SIGKILLED = 137


def find_or_start(runner: Runner, job: StageJob, identity: Identity, log: Any) -> Container:
    """Return the container of the try group, started if it did not run; see Runner for the errors."""
    container = _after_creator(runner, runner.find(identity.name))
    if container is None:
        _end_older_groups(runner, identity, log)
        try:
            container = runner.create(job, identity.name)
        except NameTaken:  # another process created it first
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
        log.info("Started container %s, which had been created and not started", identity.name)
    return runner.inspect(container.id)


def check_exit(stage: Stage, container: Container, tail: Sequence[str]) -> str:
    """Raise StageFailed or StageInvalid, with the last lines, unless the container has ended with 0.

    `tail` is masked already, because a secret in a cut line could not be. Returns a warning, or nothing.
    """
    hint = _hint(stage, container)
    if container.status == 0:
        return hint and f"The stage reports success.{hint}"
    last = "\n  ".join(["", *(cut(line, QUOTED_LINE) for line in tail)]) if tail else " It printed nothing."
    end = "ended" if container.status is None else f"exited with {container.status}"
    text = f"stage {stage.name}, container {container.name}, {end}.{hint} Last lines:{last}"
    raise (StageInvalid if container.status in (*PERMANENT_EXITS, *COMMAND_EXITS) else StageFailed)(text)


def _hint(stage: Stage, container: Container) -> str:
    if container.out_of_memory:  # Docker reports it also of a child process, without which the stage went on
        return f" One of its processes was killed because memory ran out: raise {stage.key('MEM')}."
    if container.status in COMMAND_EXITS:
        return f" Its command, or a command that it calls, cannot be run: correct {stage.key('COMMAND')}."
    if container.status == SIGKILLED:
        return " It was killed, but not by its memory limit."
    if container.status is None:
        return " Its supervising process was killed, so its exit status is unknown."
    return ""


def _end_older_groups(runner: Runner, identity: Identity, log: Any) -> None:
    """Stop the containers of the task that run since before it was cleared."""
    for other in runner.containers(identity.of_task):
        if int(other.labels[GROUP]) > identity.group:
            raise StageFailed(f"the task was cleared meanwhile; container {other.name} replaces this one")
        counts = other.name == identity.name and not other.set_aside
        if other.running and not counts:  # another process may have started the one that counts
            log.warning("Stopping container %s, whose task was cleared", other.name)
            runner.stop(other.id)


def _after_creator(runner: Runner, container: Container | None) -> Container | None:
    """Return the container as it is when its creator has started it, or has had the time to.

    Docker would run a second time a container that its creator has started and that has ended since.
    """
    while container and not (container.running or container.started):
        if datetime.now(UTC) - container.created > START_TIME:
            break
        time.sleep(0.2)
        container = runner.find(container.name)
    return container
