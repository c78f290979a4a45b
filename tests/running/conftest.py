"""One running stack for all processes of a test run, with a lane for each module: nobody is in another's way.

What changes the stack as a whole, such as a Variable or a death, is in tests/alone.
"""

import json
from pathlib import Path

import pytest
from filelock import FileLock

from rankalpha.pipeline.markets import read
from rankalpha.stack.embedded.ports import free_ports
from tests.support.embedded_stack import RunningStack
from tests.support.lane import Lane
from tests.support.recording_stack import new_stack, write_markets, write_profile
from tests.support.services import RecordingServices
from tests.support.stack import PORTS
from tests.support.users import make_users
from tests.support.version_api import COMMAND, taking_part

MORE = f"""
[variants_lane.variants.rival.settings.scorer]
SCORER_COMMAND = "{COMMAND} rival"

[models_lane.training]
"""
LANES = sorted(f"{file.stem.removeprefix('test_')}_lane" for file in Path(__file__).parent.glob("test_*.py"))


@pytest.fixture(scope="session")
def folder(shared):
    """Where the stack keeps itself."""
    return shared / "running"


@pytest.fixture(scope="session")
def made(shared, folder):
    """What the process that needed the stack first has noted; it ends with the test run."""
    with FileLock(shared / "running.lock"):
        notes = folder / "notes.json"
        if not notes.exists():
            notes.write_text(json.dumps(start(folder, shared)))
        return json.loads(notes.read_text())


def start(folder, shared):
    """Start the stack; return its settings, the ports of the lanes' services, and the users' password."""
    services = dict(zip(LANES, free_ports(len(LANES)), strict=True))
    for lane, port in services.items():
        write_profile(folder / "env" / lane, f"http://127.0.0.1:{port}")
    (folder / "env" / "local").symlink_to(LANES[0])  # of the default market, which nobody uses
    write_markets(folder / "markets.toml", {"default": {}, **{lane: {"profile": lane} for lane in LANES}})
    with (folder / "markets.toml").open("a") as file:
        file.write(MORE)
    settings = {
        "RANKALPHA_MARKETS": str(folder / "markets.toml"),
        "RANKALPHA_ENV_DIR": str(folder / "env"),
        "RANKALPHA_DEFER_AFTER": "2",
        "RANKALPHA_LOG_MB": "20",  # the most that is allowed
        "AIRFLOW__CORE__PARALLELISM": "6",  # two for each of three processes
    }
    stack = new_stack(folder, shared, **settings)
    stack.start()
    return {"env": {key: stack.env[key] for key in (*settings, *PORTS.values())}, "services": services}


@pytest.fixture(scope="session")
def stack(made, folder):
    """The running stack."""
    return RunningStack(folder / "state", **made["env"])


@pytest.fixture(scope="module")
def lane(stack, folder, made, request):
    """The lane of a module."""
    name = f"{request.path.stem.removeprefix('test_')}_lane"
    (market,) = (market for market in read(folder / "markets.toml") if market.name == name)
    with RecordingServices(made["services"][name]) as services:
        yield Lane(stack, market, services)


@pytest.fixture(scope="module")
def version_api(lane, folder):
    """The recording API; the lane's stages and services take part in versions from here on."""
    with taking_part(lane, folder / "env" / lane.market.name) as made:
        yield made


@pytest.fixture(scope="session")
def password(stack, shared):
    """The password of a user of each role but Admin, named like the role."""
    with FileLock(shared / "password.lock"):
        file = shared / "password"
        if not file.exists():
            file.write_text(make_users(stack.api))
        return file.read_text()
