"""The Docker proxy as a process, before an engine that records what it is asked; see tests/engine too."""

import pytest

from tests.support.docker_proxy import RunningProxy
from tests.unit.rankalpha.support.demo_stage import stage
from tests.unit.rankalpha.support.fake_engine import FakeEngine


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """A fake engine with the proxy before it; a test's own of both are `engine` and `proxy`."""
    folder = tmp_path_factory.mktemp("proxy")
    engine = FakeEngine(folder / "docker.sock")
    proxy = RunningProxy(engine.path, folder / "log", [stage()])
    yield engine, proxy
    proxy.stop()
    engine.close()


@pytest.fixture
def engine(running):
    running[0].forget()
    return running[0]


@pytest.fixture
def proxy(running):
    return running[1]
