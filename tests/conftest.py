"""Airflow's configuration of this test process, set before anything imports Airflow."""

import os
import shutil
import tempfile
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
    # a PostgreSQL that only the tests in tests/scheduler start; all others must do without any database
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://postgres:@/postgres?host={HOME}/pg",
    "RANKALPHA_ENV_DIR": str(ROOT / "env"),
}
pytest_plugins = ["tests.support.summary", "tests.support.failures", "tests.support.figures"]
ENGINE = ("tests/docker/", "tests/faults/")  # a Docker engine has room for one stack


class ByFile(LoadFileScheduling):
    """Runs the tests of a file, or all that need the engine, one after another in one process."""

    def _split_scope(self, nodeid: str) -> str:
        return "engine" if nodeid.startswith(ENGINE) else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    """Tell which tests belong together when they run in several processes."""
    return ByFile(config, log)


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
