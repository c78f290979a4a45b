"""The documented command removes the containers of all stages, also of earlier versions, and no others."""

import re
import subprocess

import pytest

from rankalpha.runners.identity import Identity
from tests.support.checkout import ROOT
from tests.support.engine import labels
from tests.support.needs import IMAGE

IDENTITY = Identity("scorer", "2026-11-22T06:00:00", "rankalpha_scoring", "run_scorer", "r", -1, 3, 1)
# before stages were durable their containers said less of themselves
FIRST = {f"rankalpha.{key}": key for key in ("dag", "task", "run", "try", "batch")}
FOREIGN = {"com.example.stage": "scorer", "org.rankalpha": "other"}


@pytest.fixture
def made(engine, session):
    """Makes a container with some labels, running or ended."""
    ids = []

    def make(given, command="sleep 600", name=None):
        own = {**given, **labels(), "rankalpha-test": session}
        ids.append(engine.create_container(IMAGE, command, labels=own, name=name)["Id"])
        engine.start(ids[-1])
        return ids[-1]

    yield make
    for one in ids:
        if engine.containers(all=True, filters={"id": one}):
            engine.remove_container(one, force=True)


def test_the_documented_command_removes_the_stages_of_all_versions_and_nothing_else(engine, session, made):
    (command,) = re.findall(
        r"^\$ (docker ps .*rm -fv)$", (ROOT / "docs/deploy/compose.md").read_text(), re.MULTILINE
    )
    stages = [made(IDENTITY.labels), made(FIRST), made(IDENTITY.labels, "true")]
    foreign = made(FOREIGN, name=f"{session}-rankalpha-scorer")
    ours = command.replace("docker ps", f"docker ps --filter label=rankalpha-test={session}", 1)
    done = subprocess.run(["sh", "-c", ours], capture_output=True, text=True, timeout=60)
    assert (done.returncode, len(done.stdout.split())) == (0, len(stages)), done.stderr
    left = engine.containers(all=True, filters={"label": f"rankalpha-test={session}"})
    assert [one["Id"] for one in left] == [foreign]
    assert subprocess.run(["sh", "-c", ours], capture_output=True, timeout=60).returncode == 0, (
        "nothing is left"
    )
