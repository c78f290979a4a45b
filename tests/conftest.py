"""Airflow's configuration of this test process, set before anything imports Airflow."""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

ROOT = Path(__file__).resolve().parents[1]
HOME = Path(tempfile.mkdtemp(prefix="rankalpha-test-"))

for key in [key for key in os.environ if key.startswith(("AIRFLOW", "RANKALPHA"))]:
    del os.environ[key]
os.environ |= {
    "AIRFLOW_HOME": str(HOME),
    "AIRFLOW__CORE__ASSET_MANAGER_CLASS": "rankalpha.events.BatchAssetManager",
    "AIRFLOW__CORE__AUTH_MANAGER": "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager",
    "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "false",
    "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
    # a PostgreSQL that only the tests in tests/scheduling start; all others must do without any database
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://postgres:@/postgres?host={HOME}/pg",
    "RANKALPHA_ENV_DIR": str(ROOT / "env"),
}
ENGINE = ("tests/docker/", "tests/faults/")  # a Docker engine has room for one stack


class ByFile(LoadFileScheduling):
    """Runs the tests of a file, or all that need the engine, one after another in one process."""

    def _split_scope(self, nodeid: str) -> str:
        return "engine" if nodeid.startswith(ENGINE) else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    """Tell which tests belong together when they run in several processes; the largest groups begin."""
    return ByFile(config, log)


SAID = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def say(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Print figures when all tests are over, whichever process they come from."""
    return pytestconfig.stash.setdefault(SAID, []).append


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand over what was said in a process of its own."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["said"] = session.config.stash.get(SAID, [])


def pytest_testnodedown(node: Any) -> None:
    """Take what was said in another process; none is handed over by one that died."""
    node.config.stash.setdefault(SAID, []).extend(getattr(node, "workeroutput", {}).get("said", []))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print what was said."""
    for text in config.stash.get(SAID, []):
        terminalreporter.write_line(f"\n{text}")


def pytest_unconfigure() -> None:
    """Leave nothing behind."""
    shutil.rmtree(HOME, ignore_errors=True)


@pytest.fixture(scope="session")
def home() -> Path:
    """A folder of this test session; pytest's own may be removed by another one while servers run in it."""
    return HOME


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT
