"""The DAG set as Airflow parses it."""

import sys

import pytest


@pytest.fixture(scope="session")
def dag_bag(root):
    """The bag of the repository, the DAG bundle: parsed once, without any database."""
    from airflow.dag_processing.dagbag import DagBag

    sys.path.insert(0, str(root))  # as Airflow does with the root of a bundle
    return DagBag(str(root))


@pytest.fixture(scope="session")
def dags(dag_bag):
    """The DAGs by id."""
    assert dag_bag.dags
    return dag_bag.dags
