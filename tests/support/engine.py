"""The Docker engine: what tests make on it carries their mark, and leftovers are removed."""

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
    """The client of the engine, without leftovers of earlier test runs."""
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
            (each["Names"][0].removeprefix("/"), each["Labels"] or {}) for each in client.containers(all=True)
        ],
        "network": [(each["Name"], each["Labels"] or {}) for each in client.networks()],
        "volume": [(each["Name"], each["Labels"] or {}) for each in client.volumes()["Volumes"] or ()],
        "image": [(each["Id"], each["Labels"] or {}) for each in client.images(filters={"label": LABEL})],
    }


def sweep(client):
    """Remove what carries the mark of a test run that is over, and the containers that use it."""
    from docker.errors import NotFound

    there = everything(client)
    marks = {labels[LABEL] for things in there.values() for _, labels in things if LABEL in labels}
    if not (over := {mark for mark in marks if is_over(mark)}):
        return
    for mark in over:
        end(mark)
    leftovers = {
        kind: [name for name, labels in things if labels.get(LABEL) in over]
        for kind, things in everything(client).items()
    }
    uses = [{"label": f"{LABEL}={mark}"} for mark in over]
    uses += [{kind: name} for kind in ("network", "volume") for name in leftovers[kind]]
    used = {container["Id"] for use in uses for container in client.containers(all=True, filters=use)}
    forced = {"force": True}
    for remove, names, options in (
        (client.remove_container, used, {"v": True, **forced}),
        (client.remove_network, leftovers["network"], {}),
        (client.remove_volume, leftovers["volume"], {}),
        (client.remove_image, leftovers["image"], forced),
    ):
        for name in names:
            with suppress(NotFound):  # another run has been faster
                remove(name, **options)


def taken(client, names, project=None):
    """What of names that a stack would use is on the engine, and what belongs to its Compose project."""
    return sorted(
        f"{kind} {name}"
        for kind, found in everything(client).items()
        for name, given in found
        if name in names or (project and given.get(PROJECT) == project)
    )


def need_room(stacks):
    """Skip, or fail where nothing may be absent, when something else has names that the tests need."""
    if stacks:
        absent(
            f"a stack is on the Docker engine: {', '.join(stacks)}; `docker compose down --volumes` in "
            "its checkout removes it; remove what remains by `docker rm`, `network rm` and `volume rm`"
        )
