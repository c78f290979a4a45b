"""Airflow's own scheduler code on a PostgreSQL that holds our DAGs: no process of Airflow runs."""

import os
from pathlib import Path

import pytest

from tests.support.template import copy_database


@pytest.fixture(scope="session")
def airflow_db(shared):
    """The database of this process, which `AIRFLOW__DATABASE__SQL_ALCHEMY_CONN` names."""
    from rankalpha.stack.embedded.postgres import start
    from rankalpha.stack.prepare import airflow

    data = Path(os.environ["AIRFLOW_HOME"], "pg")
    copy_database(shared, data)
    server = start(data)
    try:
        airflow("dags", "reserialize")
        yield
    finally:
        server.stop()
