"""The Docker engine: what tests make on it carries their mark, and what an interrupted run has left goes."""

import os
import secrets
from contextlib import suppress

import pytest

from tests.support.needs import absent, needs
from tests.support.runs import MARK, end, is_over

LABEL = "rankalpha.tests"
PROJECT = "com.docker.compose.project"


@pytest.fixture(scope="session")
def engine():
    """The client of the engine, from which all is removed that test runs before this one have left."""
    client = needs("docker")
    sweep(client)
    return client


@pytest.fixture(scope="session")
def session():
    """A name for all that this session makes on the engine; a user's own things are never touched."""
    return f"rankalpha-test-{secrets.token_hex(4)}"


def labels():
    """What everything carries that this run makes on the engine itself, and not a stack for it."""
    return {LABEL: os.environ[MARK]} if MARK in os.environ else {}  # the benchmarks use stacks of tests too


def everything(client):
    """All that is on the engine, by its kind: pairs of a name and labels."""
    return {
        "container": [
            (one["Names"][0].removeprefix("/"), one["Labels"] or {}) for one in client.containers(all=True)
        ],
        "network": [(one["Name"], one["Labels"] or {}) for one in client.networks()],
        "volume": [(one["Name"], one["Labels"] or {}) for one in client.volumes()["Volumes"] or ()],
        "image": [(one["Id"], one["Labels"] or {}) for one in client.images(filters={"label": LABEL})],
    }


def sweep(client):
    """Remove what carries the mark of a test run that is over, and the containers that use it."""
    from docker.errors import NotFound

    there = everything(client)
    marks = {labels[LABEL] for found in there.values() for _, labels in found if LABEL in labels}
    if not (over := {mark for mark in marks if is_over(mark)}):
        return
    for mark in over:
        end(mark)
    left = {
        kind: [name for name, labels in found if labels.get(LABEL) in over]
        for kind, found in everything(client).items()
    }
    uses = [{"label": f"{LABEL}={mark}"} for mark in over]
    uses += [{kind: name} for kind in ("network", "volume") for name in left[kind]]
    used = {one["Id"] for use in uses for one in client.containers(all=True, filters=use)}
    forced = {"force": True}
    for remove, names, options in (
        (client.remove_container, used, {"v": True, **forced}),
        (client.remove_network, left["network"], {}),
        (client.remove_volume, left["volume"], {}),
        (client.remove_image, left["image"], forced),
    ):
        for name in names:
            with suppress(NotFound):  # a run beside this one has been faster
                remove(name, **options)


def taken(client, names, project=None):
    """What of names that a stack would use is on the engine, and what belongs to its Compose project."""
    return sorted(
        f"{kind} {name}"
        for kind, found in everything(client).items()
        for name, given in found
        if name in names or (project and given.get(PROJECT) == project)
    )


def need_room(found):
    """Skip, or fail where nothing may be absent, when something else has names that the tests need."""
    if found:
        absent(
            f"a stack is on the Docker engine: {', '.join(found)}; `docker compose down --volumes` in "
            "its checkout removes it; what is left then goes by `docker rm`, `network rm` and `volume rm`"
        )
