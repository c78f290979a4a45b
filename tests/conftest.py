"""Airflow's configuration of this test process, set before anything imports Airflow."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

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


@pytest.fixture(scope="session", autouse=True)
def _home() -> Iterator[None]:
    yield
    shutil.rmtree(HOME, ignore_errors=True)


@pytest.fixture(scope="session")
def home() -> Path:
    """A folder of this test session; pytest's own may be removed by another one while servers run in it."""
    return HOME


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT
