"""A PostgreSQL with Airflow's schema and our DAGs in it, for the tests of Airflow's own scheduling code."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def airflow_db():
    from rankalpha.embedded.postgres import start
    from rankalpha.prepare import airflow, prepare

    server = start(Path(os.environ["AIRFLOW_HOME"], "pg"))
    try:
        prepare()
        airflow("dags", "reserialize")
        yield
    finally:
        server.stop()
