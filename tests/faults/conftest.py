"""The fault matrix: an embedded stack whose stages run in containers of a real Docker engine.

One stack for all modules: whatever it was dealt, it must go on. Its markets are alike; several have a batch
each when one fault is to strike batches at different moments, see `tests.faults.cell`.
"""

import json
import os
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import pytest

from rankalpha.pipeline.markets import read
from rankalpha.stages import STAGES
from tests.faults.cell import Outcome
from tests.faults.engine import Engine
from tests.faults.stages import DEFER_AFTER, LIMIT, LONG, command
from tests.faults.table import Matrix
from tests.support.engine import need_room
from tests.support.lane import Lane
from tests.support.needs import IMAGE
from tests.support.recording_stack import new_stack, write_markets
from tests.support.services import RecordingServices

RESULTS = Path(__file__).parents[2] / "bench" / "results" / "faults.json"
RIVALLED = "rivalled"  # a market with a variant
MARKETS = ("default", LONG, "third", RIVALLED)
EATER = f"""
[{RIVALLED}.variants.eater.settings.scorer]
SCORER_COMMAND = 'python -c "x = [bytearray(10**6) for _ in iter(int, 1)]"'
SCORER_MEM = "64m"
"""


@pytest.fixture(scope="package")
def folder(home):
    """Where the stack keeps itself."""
    folder = home / "faults"
    folder.mkdir()
    write_markets(folder / "markets.toml", {name: {"profile": name} for name in MARKETS})
    with (folder / "markets.toml").open("a") as file:
        file.write(EATER)
    return folder


@pytest.fixture(scope="package")
def markets(folder):
    """The markets of the stack."""
    return read(folder / "markets.toml")


@pytest.fixture(scope="package")
def engine(engine, markets):
    """The engine, with the network and the volumes of the stages."""
    prepared = Engine(engine, [stage.of(market) for stage in STAGES for market in markets])
    need_room(prepared.taken())
    prepared.prepare()
    yield prepared
    prepared.clean()


@pytest.fixture(scope="package")
def services():
    """The API and the frontend of each market."""
    with ExitStack() as listening:
        yield {name: listening.enter_context(RecordingServices()) for name in MARKETS}


@pytest.fixture(scope="package")
def stack(shared, folder, services, engine):
    """The running stack."""
    for name, server in services.items():
        write_profile(folder / "env" / name, name, server.url)
    (folder / "env" / "local").symlink_to("default")
    settings = {
        "RANKALPHA_MARKETS": str(folder / "markets.toml"),
        "RANKALPHA_RUNNER": "docker",
        "RANKALPHA_DOCKER_URL": engine.url,
        "RANKALPHA_STAGE_TIMEOUT": str(LIMIT),
        "RANKALPHA_DEFER_AFTER": str(DEFER_AFTER),
    }
    with new_stack(folder, shared, **settings).started() as running:
        yield running


def write_profile(folder, market, services_url):
    """Write the profile of a market."""
    folder.mkdir(parents=True)
    for stage in STAGES:
        settings = {"IMAGE": IMAGE, "COMMAND": command(stage.name, market)}
        lines = (f"{stage.key(part)}={value}\n" for part, value in settings.items())
        (folder / f"{stage.name}.env").write_text("".join(lines))
    (folder / "api.env").write_text(f"API_URL={services_url}\nFRONTEND_URL={services_url}\n")


@pytest.fixture(scope="package")
def lanes(stack, services, markets):
    """The markets of the stack as lanes, by their names."""
    return {market.name: Lane(stack, market, services[market.name]) for market in markets}


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
