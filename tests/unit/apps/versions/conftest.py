"""An orchestrator, and one that has published the prices of the first batch."""

from pathlib import Path

import pytest

from tests.unit.apps.support.published import Orchestrator


@pytest.fixture
def airflow(tmp_path: Path) -> Orchestrator:
    return Orchestrator(tmp_path)


@pytest.fixture
def ingested(airflow: Orchestrator) -> Orchestrator:
    airflow.publish("prices")
    return airflow
