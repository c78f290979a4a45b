"""What tests need of the machine beside Python: skipped without it, failed where all must be there."""

import os
import shutil
from functools import cache

import pytest

SOCKET = "/var/run/docker.sock"
IMAGE = "python:3.13-slim-trixie"  # what the stages of the tests run in
PROGRAMS = {
    # the shell is Chromium without windows, and takes half the processor time
    "chromium": ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"),
    "prometheus": ("promtool",),
    "cc": ("cc",),
}


def needs(what):
    """Return where `what` is: the path of a program, or the client of the Docker engine.

    Skips the test when it is not there. In continuous integration, where everything is installed, it fails.
    """
    usable, lacks = _docker() if what == "docker" else _program(what)
    if lacks:
        absent(lacks)
    return usable


def lacking_docker():
    """Return why no container can run on the Docker engine; an empty text when one can."""
    return _docker()[1]


def absent(reason):
    """Skip, or fail where nothing may be absent."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)


def _program(what):
    program = next(filter(None, map(shutil.which, PROGRAMS[what])), None)
    return program, "" if program else f"{what} is not installed"


@cache
def _docker():
    from docker import APIClient
    from docker.errors import DockerException

    try:
        client = APIClient(base_url=f"unix://{SOCKET}", version="auto")
    except DockerException as error:
        return None, f"no Docker engine answers at {SOCKET}: {error}"
    return client, _lacking(client, IMAGE)


def need_image(client, name):
    """Skip, or fail where nothing may be absent, when an image is neither there nor can be pulled."""
    if lacks := _lacking(client, name):
        absent(lacks)


def _lacking(client, name):
    from docker.errors import DockerException, ImageNotFound

    try:
        client.inspect_image(name)
    except ImageNotFound:
        try:
            client.pull(*name.split(":"))
        except DockerException as error:
            return f"the image {name} is not on the Docker engine and cannot be pulled: {error}"
    return ""
