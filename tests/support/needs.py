"""What a test needs of the machine beside Python: it is skipped without, and fails where all must be there."""

import os
import shutil
from functools import cache

import pytest

SOCKET = "/var/run/docker.sock"
IMAGE = "python:3.13-slim-trixie"  # what the stages of the tests run in
PROGRAMS = {
    "chromium": ("chromium", "chromium-browser", "google-chrome"),
    "prometheus": ("promtool",),
}


def needs(what):
    """Return where `what` is: the path of a program, or the client of the Docker engine.

    Skips the test when it is not there. In continuous integration, where everything is installed, it fails.
    """
    found, lacks = _docker() if what == "docker" else _program(what)
    if lacks:
        absent(lacks)
    return found


def absent(reason):
    """Skip, or fail where nothing may be absent."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)


def _program(what):
    found = next(filter(None, map(shutil.which, PROGRAMS[what])), None)
    return found, "" if found else f"{what} is not installed"


@cache
def _docker():
    from docker import APIClient
    from docker.errors import DockerException

    try:
        client = APIClient(base_url=f"unix://{SOCKET}", version="auto")
        client.inspect_image(IMAGE)
    except DockerException as error:
        return None, f"no Docker engine with the image {IMAGE} answers at {SOCKET}: {error}"
    return client, ""
