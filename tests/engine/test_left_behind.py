"""What an interrupted test run has left on the engine goes; what belongs to others stays."""

import pytest

from tests.support.engine import LABEL, everything, labels, sweep
from tests.support.needs import IMAGE
from tests.support.runs import is_over

OVER = {LABEL: "/tmp/rankalpha-test-over"}


@pytest.fixture
def made(engine, session):
    """Names of what a run that is over, this one, and somebody else have on the engine, by their owners."""
    owners = {"over": OVER, "ours": labels(), "others": {}}
    for owner, marks in owners.items():
        name = f"{session}-{owner}"
        engine.create_network(name, labels=marks)
        engine.create_volume(name, labels=marks)
        host = engine.create_host_config(network_mode=name)  # a stage's container has no mark of its own
        engine.create_container(IMAGE, "true", name=name, host_config=host)
    yield {owner: f"{session}-{owner}" for owner in owners}
    remove = {
        "container": engine.remove_container,
        "network": engine.remove_network,
        "volume": engine.remove_volume,
    }
    for kind, do in remove.items():
        for name, _ in everything(engine)[kind]:
            if name.startswith(f"{session}-"):
                do(name)


def test_what_a_run_that_is_over_has_left_is_removed_and_nothing_else(engine, made):
    sweep(engine)
    there = everything(engine)
    for kind in ("container", "network", "volume"):
        left = {name for name, _ in there[kind]} & set(made.values())
        assert left == {made["ours"], made["others"]}, kind


def test_a_run_is_over_when_its_process_is():
    assert not is_over(labels()[LABEL])
    assert is_over(OVER[LABEL])
