"""The stack with Celery workers, one for all modules, and its profile, made of env/example as a user does."""

import shutil
import sysconfig
from pathlib import Path

import pytest

from tests.support.compose import ComposeStack
from tests.support.production import PASSWORDS, SECRETS, fill

from .receiving import RECEIVER


@pytest.fixture(scope="package")
def profile(checkout):
    """The profile `production`; its stages take long enough to be at work at the same time.

    Workers wait for them, as they must where no triggerer reaches their engine. The deadline of a run is half
    a minute, which only one that hangs needs.
    """
    folder = checkout / "env/production"
    shutil.copytree(checkout / "env/example", folder)
    fill(folder / "airflow.env", **SECRETS, AIRFLOW__CELERY__WORKER_CONCURRENCY="1", RANKALPHA_DEFER="false")
    fill(folder / "airflow.env", AIRFLOW__LOGGING__JSON_LOGS="True", **RECEIVER)
    fill(folder / "airflow.env", RANKALPHA_FINISHED_WITHIN="0.5")
    fill(folder / "api.env", LOG_FORMAT="json")
    fill(folder / "scorer.env", SCORER_COMMAND="sh -c 'sleep 4; exec python apps/scorer/main.py'")
    fill(folder / "sentiment.env", SENTIMENT_COMMAND="sh -c 'sleep 4; exec uv run main.py'")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="package")
def stack(local, profile):
    """The stack with two workers, one task each."""
    local.down()
    here = Path(__file__).parent
    files = ("docker-compose.yml", "docker-compose.celery.yml", here / "receiver.yml")
    receiver = {
        "RECEIVER_SCRIPT": str(here / "receiver.py"),
        "RECEIVER_PACKAGES": sysconfig.get_path("purelib"),
    }
    variables = {"RANKALPHA_ENV": profile.name, "AIRFLOW__LOGGING__JSON_LOGS": "True", **receiver}
    cluster = ComposeStack(local.checkout, *files, password=PASSWORDS["admin"], **variables)
    try:
        cluster.up("--scale=airflow-worker=2")
        yield cluster
    finally:
        cluster.down()
