"""The stacks of containers: one at a time, because their names on the engine are fixed."""

import re

import pytest

from tests.support.browser import chromium
from tests.support.checkout import copy_checkout
from tests.support.compose import ComposeStack
from tests.support.engine import need_room
from tests.support.needs import needs
from tests.support.waiting import wait_for

CELERY = ("docker-compose.yml", "docker-compose.celery.yml")


@pytest.fixture(scope="session")
def checkout(home):
    """What a user has cloned; its profile `local` names a proxy, where nobody listens."""
    folder = copy_checkout(home / "compose")
    for name in ("airflow", "api"):
        with (folder / "env" / "local" / f"{name}.env").open("a") as file:
            file.write("\nHTTP_PROXY=http://127.0.0.1:9\nhttp_proxy=http://127.0.0.1:9\n")
    return folder


@pytest.fixture(scope="package")
def local(engine, checkout):
    """The stack of the profile `local`, not started; one that is on the engine already is not touched."""
    need_room(ComposeStack(checkout, *CELERY).taken(engine))
    stack = ComposeStack(checkout)
    yield stack
    stack.down()


@pytest.fixture(scope="package")
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
    return wait_for("the start-up batch", lambda: graded.search(stack.logs("airflow-startup")), 300)[1]


@pytest.fixture(scope="module")
def browser():
    """A real Chromium."""
    needs("chromium")
    with chromium() as opened:
        yield opened
