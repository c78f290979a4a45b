"""The stacks of containers: one at a time, because their names on the engine are fixed."""

import re

import pytest

from tests.support.browser import chromium
from tests.support.compose import ComposeStack
from tests.support.needs import absent
from tests.support.stack import copy_checkout, wait_for

CELERY = ("docker-compose.yml", "docker-compose.celery.yml")


@pytest.fixture(scope="session")
def checkout(home):
    """What a user has cloned."""
    return copy_checkout(home / "compose")


@pytest.fixture(scope="session")
def local(engine, checkout):
    """The stack of the profile `local`, not started; one that is on the engine already is not touched."""
    if taken := ComposeStack(checkout, *CELERY).taken(engine):
        absent(
            f"a stack is on the Docker engine: {', '.join(taken)}; `docker compose down -v` removes it all"
        )
    stack = ComposeStack(checkout)
    yield stack
    stack.down()


@pytest.fixture(scope="session")
def images(local):
    """The images, built."""
    local.output("build")


@pytest.fixture(scope="module")
def stack(local):
    """The same, up; it stays up for the modules after this one."""
    if not local.ids():
        local.up()
    return local


@pytest.fixture(scope="module")
def batch(stack):
    """The batch of the start-up trigger, once it is graded."""
    graded = re.compile(r"Batch (\S+) is graded and the frontend is notified")
    return wait_for(lambda: graded.search(stack.logs("airflow-startup")), seconds=120)[1]


@pytest.fixture(scope="module")
def browser():
    """A real Chromium."""
    with chromium() as opened:
        yield opened
