"""A real Docker engine, with a network and a volume of this test session's own, and our proxy before it."""

import secrets
from dataclasses import replace

import pytest
from docker import APIClient
from docker.errors import DockerException
from relay import Relay
from stage_jobs import IMAGE, SOCKET, Jobs, need_image, use

from rankalpha.settings import settings
from rankalpha.stage import Stage, Volume
from tests.support.docker_proxy import RunningProxy
from tests.support.needs import absent


@pytest.fixture(scope="session")
def engine():
    """The engine itself, asked without the proxy."""
    try:
        client = APIClient(base_url=f"unix://{SOCKET}", version="auto")
    except DockerException as error:
        absent(f"no Docker engine answers at {SOCKET}: {error}")
    need_image(client, IMAGE)
    return client


@pytest.fixture(scope="session")
def session():
    """A name for all that this session makes on the engine; a user's own things are never touched."""
    return f"rankalpha-test-{secrets.token_hex(4)}"


@pytest.fixture(scope="session")
def demo(engine, session):
    """A stage whose network and volume exist."""
    engine.create_network(session)
    engine.create_volume(session)
    volumes = (Volume(session, "/data/prices"),)
    yield Stage(name="demo", image=IMAGE, command="true", network=session, volumes=volumes)
    engine.remove_network(session)
    engine.remove_volume(session)


@pytest.fixture(scope="session")
def lacking(demo, session):
    """A stage that needs what is not there."""
    return replace(demo, network=f"{session}-no-net", volumes=(Volume(f"{session}-no-data", "/data/none"),))


@pytest.fixture(scope="session")
def proxy(demo, lacking, tmp_path_factory):
    """The proxy, for the stages of these tests."""
    folders = ("/made/on/demand", "/etc/passwd")
    stages = [demo, lacking, *(replace(demo, working_dir=folder) for folder in folders)]
    running = RunningProxy(SOCKET, tmp_path_factory.mktemp("proxy") / "log", stages)
    yield running
    running.stop()


@pytest.fixture
def jobs(demo, session):
    """Makes jobs of the stage."""
    return Jobs(demo, session)


@pytest.fixture(params=["socket", "proxy"])
def way(request, monkeypatch):
    """How the runner reaches the engine."""
    url = request.getfixturevalue("proxy").url if request.param == "proxy" else f"unix://{SOCKET}"
    use(monkeypatch, url)
    return request.param


@pytest.fixture
def relay(tmp_path, monkeypatch):
    """What the runner reaches the engine through, and what can fail."""
    made = Relay(tmp_path / "docker.sock")
    use(monkeypatch, made.url)
    yield made
    made.close()


def sweep(engine, session):
    """Remove the containers of a test; return their names."""
    settings.cache_clear()
    left = engine.containers(all=True, filters={"label": f"rankalpha.session={session}"})
    for container in left:
        engine.remove_container(container["Id"], force=True, v=True)
    return [container["Names"] for container in left]


@pytest.fixture
def swept(engine, session):
    """What a test leaves is removed, however it went."""
    yield
    sweep(engine, session)


@pytest.fixture
def nothing_left(engine, session):
    """The same, for a test that must remove its containers itself."""
    yield
    assert sweep(engine, session) == []
