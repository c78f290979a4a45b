"""The DAG set as Airflow parses it."""

import pytest


@pytest.fixture(scope="session")
def dag_bag(root):
    """The bag of the repository, the DAG bundle: parsed once, without any database."""
    from rankalpha.lineage.graph import dag_bag

    return dag_bag(root)


@pytest.fixture(scope="session")
def dags(dag_bag):
    """The DAGs by id."""
    assert dag_bag.dags
    return dag_bag.dags
