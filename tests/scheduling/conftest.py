"""Airflow's scheduling for tests: its database alone, or a whole running stack whose stages do nothing."""

import os
import secrets
from pathlib import Path

import pytest
from figures import Figures
from old_rows import connected

from rankalpha.stages import STAGES
from tests.support.services import RecordingServices
from tests.support.stack import RunningStack


@pytest.fixture(scope="session")
def airflow_db():
    """A PostgreSQL with Airflow's schema and our DAGs in it."""
    from rankalpha.embedded.postgres import start
    from rankalpha.prepare import airflow, prepare

    server = start(Path(os.environ["AIRFLOW_HOME"], "pg"))
    try:
        prepare()
        airflow("dags", "reserialize")
        yield
    finally:
        server.stop()


@pytest.fixture(scope="module")
def figures(request, say):
    """Counts what the histories of a module have tried."""
    found = Figures(request.module.__doc__.split(":")[0])
    yield found
    found.show(say)


@pytest.fixture(scope="session")
def services():
    """The API and frontend of the running stack."""
    servers = RecordingServices()
    yield servers
    servers.close()


@pytest.fixture(scope="session")
def stack(home, services):
    """A running embedded stack with recording stages and services."""
    profile = home / "env" / "local"
    profile.mkdir(parents=True)
    script = Path(__file__).with_name("recording_stage.py")
    for stage in STAGES:
        command = f"{stage.key('COMMAND')}=python {script} {stage.name}\n"
        (profile / f"{stage.name}.env").write_text(command)
    (profile / "api.env").write_text(f"API_URL={services.url}\nFRONTEND_URL={services.url}\n")
    running = RunningStack(
        home / "state",
        RANKALPHA_ENV_DIR=str(profile.parent),
        RANKALPHA_RETRIES="1",
        RANKALPHA_RETRY_DELAY="1",
        RANKALPHA_STAGE_TIMEOUT="15",
        RANKALPHA_METRICS_TOKEN=secrets.token_hex(16),
    )
    try:
        started = running.stack("start")
        assert started.returncode == 0, started.stdout
        from rankalpha.startup import wait_for_airflow

        wait_for_airflow(running.api)
        yield running
    finally:
        running.stack("clean")


@pytest.fixture(scope="session")
def database(stack):
    """Runs queries in the database of the running stack."""
    with connected(stack) as run:
        yield run
