"""A network and a volume of this test session's own on a real Docker engine, and our proxy before it."""

from dataclasses import replace

import pytest

from rankalpha.settings import settings
from rankalpha.stages.docker import DockerOptions, Volume
from rankalpha.stages.stage import Stage
from tests.engine.relay import Relay
from tests.engine.stage_jobs import Jobs, use
from tests.support.docker_proxy import RunningProxy
from tests.support.engine import labels
from tests.support.needs import IMAGE, SOCKET


@pytest.fixture(scope="session")
def demo(engine, session):
    """A stage whose network and volume exist."""
    engine.create_network(session, labels=labels())
    engine.create_volume(session, labels=labels())
    volumes = (Volume(session, "/data/prices"),)
    options = DockerOptions(network=session, volumes=volumes)
    yield Stage(name="demo", image=IMAGE, command="true", docker=options)
    engine.remove_network(session)
    engine.remove_volume(session)


@pytest.fixture(scope="session")
def lacking(demo, session):
    """A stage that needs what is not there."""
    volumes = (Volume(f"{session}-no-data", "/data/none"),)
    return replace(demo, docker=DockerOptions(network=f"{session}-no-net", volumes=volumes))


@pytest.fixture(scope="session")
def proxy(demo, lacking, tmp_path_factory):
    """The proxy, for the stages of these tests."""
    folders = ("/made/on/demand", "/etc/passwd")
    powerful = replace(demo, name="powerful", docker=replace(demo.docker, capabilities=("CHOWN",)))
    writer = replace(demo, name="writer", docker=replace(demo.docker, read_only=False))
    stages = [demo, lacking, powerful, writer, *(replace(demo, working_dir=folder) for folder in folders)]
    running = RunningProxy(SOCKET, tmp_path_factory.mktemp("proxy") / "log", stages)
    yield running
    running.stop()


@pytest.fixture
def jobs(demo, session):
    """Makes jobs of the stage."""
    return Jobs(demo, session)


@pytest.fixture
def way(request, proxy, monkeypatch):
    """How the runner reaches the engine: by the proxy, which is the stricter way, or as a test says."""
    chosen = getattr(request, "param", "proxy")
    use(monkeypatch, proxy.url if chosen == "proxy" else f"unix://{SOCKET}")
    return chosen


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
