"""Airflow's own scheduler code on a PostgreSQL that holds our DAGs: no process of Airflow runs."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def airflow_db():
    """The database of this process, which `AIRFLOW__DATABASE__SQL_ALCHEMY_CONN` names."""
    from rankalpha.embedded.postgres import start
    from rankalpha.prepare import airflow, prepare

    server = start(Path(os.environ["AIRFLOW_HOME"], "pg"))
    try:
        prepare()
        airflow("dags", "reserialize")
        yield
    finally:
        server.stop()
