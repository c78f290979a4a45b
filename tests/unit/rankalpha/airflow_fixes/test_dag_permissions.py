"""How often the DAG processor compares FAB's permissions of a DAG, at readings half a minute apart."""

import itertools
from types import SimpleNamespace

import pytest
from airflow.dag_processing import collection

from rankalpha.airflow_fixes import dag_permissions

READINGS = 60  # half an hour


@pytest.fixture
def read(monkeypatch):
    """Read DAGs of these names and access controls; returns which of them were compared."""
    compared = []
    monkeypatch.setattr(collection, dag_permissions.NAME, lambda dag, session: compared.append(dag.dag_id))
    clock = itertools.count(step=30)
    monkeypatch.setattr(dag_permissions, "time", SimpleNamespace(monotonic=lambda: now))
    now = 0

    def at_reading(**dags):
        nonlocal now
        now = next(clock)
        compared.clear()
        for dag_id, access in dags.items():
            collection._sync_dag_perms(SimpleNamespace(dag_id=dag_id, access_control=access), session=None)
        return list(compared)

    return at_reading


def test_with_the_fix_each_dag_is_compared_once_in_ten_minutes(read):
    dag_permissions.apply()
    dag_permissions.apply()  # a plugin that is loaded twice
    found = [read(scoring=None, grading=None) for _ in range(READINGS)]
    assert found == [["scoring", "grading"], *[[]] * 19] * 3


def test_another_access_control_is_compared_at_once(read):
    dag_permissions.apply()
    assert read(scoring=None) == ["scoring"]
    assert read(scoring={"Viewer": {"can_edit"}}) == ["scoring"]
    assert read(scoring={"Viewer": {"can_edit"}}) == []
