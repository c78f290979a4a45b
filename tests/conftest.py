"""Airflow's configuration of this process, set before anything imports Airflow, and how tests are spread."""

import gc
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

from tests.support import runs

ROOT = Path(__file__).resolve().parents[1]
WORKER = os.environ.get("PYTEST_XDIST_WORKER")  # none in the process that was started, which runs tests too
if not WORKER:
    alive = runs.begin(tempfile.mkdtemp(prefix="rankalpha-test-"))
SHARED = Path(os.environ[runs.MARK])  # of all processes of this test run
HOME = SHARED / (WORKER or "main")
KEEP = bool(os.environ.get("KEEP"))

for key in [key for key in os.environ if key.startswith(("AIRFLOW", "RANKALPHA"))]:
    del os.environ[key]
os.environ |= {
    "AIRFLOW_HOME": str(HOME),
    "AIRFLOW__CORE__ASSET_MANAGER_CLASS": "rankalpha.joins.asset_manager.BatchAssetManager",
    "AIRFLOW__CORE__AUTH_MANAGER": "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager",
    "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "false",
    "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
    "AIRFLOW__CORE__MP_START_METHOD": "fork",  # as the profiles have it; Python 3.14 has another default
    # a PostgreSQL that only the tests in tests/scheduler start; all others must do without any database
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://postgres:@/postgres?host={HOME}/pg",
    "RANKALPHA_ENV_DIR": str(ROOT / "env"),
}
TOGETHER = {  # folders and modules whose tests run one after another, and why
    "tests/engine/": "engine",  # a Docker engine has room for one stack, and one of the faults is to kill it
    "tests/compose/": "engine",
    "tests/faults/": "engine",
    # Chromium drops what it loads when a container's network appears
    "tests/running/test_page.py": "engine",
    "tests/running/test_views.py": "engine",
    "tests/running/test_ranking_tour.py": "engine",
    "tests/alone/": "alone",  # one running stack, which they change as a whole
}
pytest_plugins = [
    "tests.support.summary",
    "tests.support.failures",
    "tests.support.figures",
    "tests.support.engine",
]


class ByFile(LoadFileScheduling):
    """Runs the tests of a file, or of folders that belong together, one after another in one process."""

    def _split_scope(self, nodeid: str) -> str:
        groups = (group for start, group in TOGETHER.items() if nodeid.startswith(start))
        return next(groups, None) or super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    """Tell which tests belong together when they run in several processes."""
    return ByFile(config, log)


def pytest_collection_finish() -> None:
    """Take what thousands of tests consist of out of every later search for garbage."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a module that tells a story in its order, whatever has shuffled them."""
    line = {item: item.reportinfo()[1] or 0 for item in items}
    told = [index for index, item in enumerate(items) if item.get_closest_marker("story")]
    by_module: dict[Path, list[pytest.Item]] = {}
    for index in told:
        by_module.setdefault(items[index].path, []).append(items[index])
    for chapters in by_module.values():
        chapters.sort(key=line.__getitem__)
    for index in told:
        items[index] = by_module[items[index].path].pop(0)


def pytest_unconfigure() -> None:
    """Leave nothing behind, unless it was asked for."""
    if WORKER:
        return
    runs.end(os.environ[runs.MARK])  # the stack that all processes have shared
    if KEEP:
        print(f"KEEP: what the tests have left is in {SHARED}", file=sys.stderr)
    else:
        shutil.rmtree(SHARED, ignore_errors=True)


@pytest.fixture(scope="session")
def home() -> Path:
    """A folder of this test session; pytest's own may be removed by another one while servers run in it."""
    HOME.mkdir(exist_ok=True)
    return HOME


@pytest.fixture(scope="session")
def shared() -> Path:
    """A folder of all processes of this test run."""
    return SHARED


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT
