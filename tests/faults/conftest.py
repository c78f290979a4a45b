"""The fault matrix: an embedded stack whose stages run in containers of a real Docker engine."""

import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest
from docker.errors import DockerException

from rankalpha.stages import STAGES
from rankalpha.startup import wait_for_airflow
from tests.faults.cell import Outcome
from tests.faults.engine import IMAGE, Engine
from tests.faults.stages import LIMIT, command
from tests.faults.table import Matrix
from tests.support.needs import absent
from tests.support.services import RecordingServices
from tests.support.stack import RunningStack

RESULTS = Path(__file__).parents[2] / "bench" / "results" / "faults.json"


@pytest.fixture(scope="module")
def engine():
    """The engine, with the network and the volumes of the stages."""
    try:
        engine = Engine()
        taken = engine.taken()
    except (DockerException, StopIteration) as error:
        absent(f"no Docker engine with the image {IMAGE} answers: {error}")
    if taken:
        absent(f"RankAlpha runs on this Docker engine already: {', '.join(taken)} are taken")
    engine.prepare()
    yield engine
    engine.clean()


@pytest.fixture(scope="module")
def services():
    """The API and the frontend."""
    servers = RecordingServices()
    yield servers
    servers.close()


@pytest.fixture(scope="module")
def stack(home, services, engine):
    """The running stack."""
    home = home / "faults"
    profile = home / "env" / "local"
    profile.mkdir(parents=True, exist_ok=True)
    for stage in STAGES:
        settings = {"IMAGE": IMAGE, "COMMAND": command(stage.name)}
        lines = (f"{stage.key(part)}={value}\n" for part, value in settings.items())
        (profile / f"{stage.name}.env").write_text("".join(lines))
    (profile / "api.env").write_text(f"API_URL={services.url}\nFRONTEND_URL={services.url}\n")
    running = RunningStack(
        home / "state",
        RANKALPHA_ENV_DIR=str(profile.parent),
        RANKALPHA_RUNNER="docker",
        RANKALPHA_DOCKER_URL=engine.url,
        RANKALPHA_RETRIES="1",
        RANKALPHA_RETRY_DELAY="1",
        RANKALPHA_STAGE_TIMEOUT=str(LIMIT),
    )
    try:
        started = running.stack("start")
        assert started.returncode == 0, started.stdout
        wait_for_airflow(running.api)
        yield running
    finally:
        running.stack("clean")


@pytest.fixture(scope="module")
def matrix(say):
    """Collects the cells and shows them; `make test-faults` keeps them, with those that it did not run."""
    found = Matrix()
    yield found
    if os.environ.get("FAULTS") == "all":
        kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
        found = Matrix([Outcome(**cell) for cell in kept]).updated(found)
        RESULTS.write_text(json.dumps([asdict(cell) for cell in found.cells], indent=1) + "\n")
    say(found.table())
