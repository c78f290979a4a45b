"""What the tests on a real engine share: where it is, and stages that run a little Python or a command."""

import asyncio
import logging
import shlex
from dataclasses import dataclass
from datetime import timedelta

import pytest

from rankalpha.containers.durable import check_exit, find_or_start
from rankalpha.containers.follow import Follower
from rankalpha.runners.container import Container
from rankalpha.runners.docker import DockerRunner
from rankalpha.runners.identity import Identity
from rankalpha.runners.line import NOTHING
from rankalpha.settings import settings
from rankalpha.stages.job import StageJob
from rankalpha.stages.stage import Stage
from tests.support.needs import IMAGE
from tests.support.waiting import wait_for

KEY = "2026-11-22T06:00:00"
HOUR = timedelta(hours=1)
log = logging.getLogger("task")
# of a test for each thing that a runner does; all others take the proxy, which is the stricter way
BOTH_WAYS = pytest.mark.parametrize("way", ["socket", "proxy"], indirect=True)
# prints one line, and another when it is asked to stop
ASKED = """sh -c 'trap "echo two >&2; exit 0" TERM; echo one; while :; do sleep 0.05; done'"""


def use(monkeypatch, url):
    """Let the runner use the engine at `url`."""
    monkeypatch.setenv("RANKALPHA_DOCKER_URL", url)
    settings.cache_clear()


@dataclass(frozen=True)
class Jobs:
    """Makes jobs of one test session, whose containers carry its label."""

    stage: Stage
    session: str

    def identity(self, **changes):
        """The identity of the first try of the stage's task."""
        task = {"dag": "rankalpha_demo", "task": "run_demo", "run": self.session, "map_index": -1}
        return Identity(
            **{"stage": "demo", "batch": KEY, **task, "group": 3, "try_number": 1, **changes},
        )

    def run(self, command, identity=None, **changes):
        """A job that runs `command`."""
        parts = {
            "stage": self.stage,
            "batch": KEY,
            "image": IMAGE,
            "command": command,
            "cpus": 1.5,
            "memory_bytes": 64 * 1024**2,
            "tmp_bytes": 16 * 1024**2,
            "pids": 50,
            "env": {"RANKALPHA_BATCH": KEY},
            "labels": {**(identity or self.identity()).labels, "rankalpha.session": self.session},
        }
        return StageJob(**{**parts, **changes})

    def python(self, code, **changes):
        """A job that runs a little Python."""
        return self.run(shlex.join(["python", "-uc", code]), **changes)

    def start(self, job, **identity):
        """Find or start the container of a task, as its operator does."""
        return find_or_start(DockerRunner(), job, self.identity(**identity), log)

    def ended(self, job, **identity):
        """Run a job to its end; return its container."""
        return ended(self.start(job, **identity))

    def result(self, job):
        """Run a job like its operator does; return its result."""
        runner, container = DockerRunner(), self.start(job)
        assert follow(container)[0] == "ended"
        if warning := check_exit(job.stage, runner.inspect(container.id), runner.tail(container.id)):
            log.warning(warning)
        return runner.result(container.id, job.stage.name)


def follow(container, limit=HOUR, written=NOTHING, do=None):
    """Follow a container; return how it has ended and its lines. `do` is called at the first line."""
    lines = []

    def write(line):
        lines.append(line)
        if do and len(lines) == 1:
            do()

    follower = Follower(DockerRunner(), container.id, write, log, written)
    return asyncio.run(follower.follow(limit)), lines


def output(container_id, since=""):
    """Return the lines of a container, until it ends."""

    async def read():
        return [line async for line in DockerRunner().lines(container_id, since)]

    return asyncio.run(read())


def texts(lines):
    """Return what lines say."""
    return [line.text for line in lines]


def ended(container: Container):
    """Return a container when it has ended."""
    wait_for(f"the end of {container.name}", lambda: not DockerRunner().inspect(container.id).running)
    return DockerRunner().inspect(container.id)


def writes(expression):
    """Python that gives an expression as the stage's result."""
    return f"import json, os; json.dump({expression}, open(os.environ['RANKALPHA_RESULT'], 'w'))"
