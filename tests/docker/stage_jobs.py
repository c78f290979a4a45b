"""What the tests on a real engine share: where it is, and jobs that run a little Python or a command."""

import os
import shlex
from dataclasses import dataclass

import pytest
from docker.errors import DockerException, ImageNotFound

from rankalpha.settings import settings
from rankalpha.stage import Stage, StageJob

SOCKET = "/var/run/docker.sock"
IMAGE = "python:3.13-slim-trixie"
KEY = "2026-11-22T06:00:00"


def absent(reason):
    """Skip on a machine that cannot run these tests; fail where they must run."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)


def need_image(engine, name):
    """Skip, or fail in CI, when an image is neither there nor can be pulled."""
    try:
        engine.inspect_image(name)
    except ImageNotFound:
        try:
            engine.pull(*name.split(":"))
        except DockerException as error:
            absent(f"the image {name} is not on the Docker engine and cannot be pulled: {error}")


def use(monkeypatch, url):
    """Let the runner use the engine at `url`."""
    monkeypatch.setenv("RANKALPHA_DOCKER_URL", url)
    settings.cache_clear()


@dataclass(frozen=True)
class Jobs:
    """Makes jobs of one test session, whose containers carry its label."""

    stage: Stage
    session: str

    def run(self, command, stage=None, **changes):
        """A job that runs `command`."""
        parts = {
            "stage": stage or self.stage,
            "batch": KEY,
            "image": IMAGE,
            "command": command,
            "nano_cpus": 1_500_000_000,
            "memory_bytes": 64 * 1024**2,
            "pids": 50,
            "env": {"RANKALPHA_BATCH": KEY},
            "labels": {"rankalpha.dag": "rankalpha_demo", "rankalpha.session": self.session},
        }
        return StageJob(**{**parts, **changes})

    def python(self, code, **changes):
        """A job that runs a little Python; `result` is the text of its result."""
        return self.run(shlex.join(["python", "-uc", code]), **changes)


def writes(expression):
    """Python that gives an expression as the stage's result."""
    return f"import json, os; json.dump({expression}, open(os.environ['RANKALPHA_RESULT'], 'w'))"
