"""Clearing a run that has a deadline, with Airflow's own code on PostgreSQL."""

import ast
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

WITHIN = timedelta(minutes=30)


@pytest.fixture
def clear(airflow_db):
    """Return a function that makes a run with a deadline, clears it, and says when it is due then."""
    from airflow.models.dag import DagModel
    from airflow.models.dagbag import DBDagBag
    from airflow.models.deadline import Deadline
    from airflow.models.taskinstance import clear_task_instances
    from airflow.utils.session import create_session
    from airflow.utils.state import DagRunState
    from airflow.utils.types import DagRunTriggeredByType, DagRunType
    from sqlalchemy import select

    def run_and_clear():
        now = datetime.now(UTC)
        with create_session() as session:
            dag = DBDagBag().get_latest_version_of_dag("rankalpha_scoring", session=session)
            assert session.get(DagModel, dag.dag_id) is not None
            run = dag.create_dagrun(
                run_id=f"cleared~{now.timestamp()}",
                run_after=now,
                run_type=DagRunType.MANUAL,
                triggered_by=DagRunTriggeredByType.TEST,
                state=DagRunState.QUEUED,
                session=session,
            )
            session.flush()
            mine = select(Deadline).where(Deadline.dagrun_id == run.id)
            made = session.scalars(mine).one().deadline_time
            clear_task_instances(run.get_task_instances(session=session), session=session)
            return made, session.scalars(mine).one().deadline_time, run.queued_at

    return run_and_clear


def test_a_run_that_is_cleared_has_its_time_again(clear, monkeypatch):
    """With the fix where Airflow needs it, else with Airflow's own function."""
    from airflow.models import taskinstance

    from rankalpha.airflow_fixes import clearing

    monkeypatch.setattr(taskinstance, clearing.REPLACED, as_installed(taskinstance, clearing.REPLACED))
    clearing.apply()
    made, due, queued = clear()
    assert due == queued + WITHIN
    assert due > made


def test_airflow_itself_cannot_clear_such_a_run_where_the_fix_is_on(clear, monkeypatch):
    """Where the fix is off on all supported versions, remove rankalpha/airflow_fixes/clearing.py."""
    from airflow.models import taskinstance

    from rankalpha.airflow_fixes import clearing

    monkeypatch.setattr(taskinstance, clearing.REPLACED, as_installed(taskinstance, clearing.REPLACED))
    with pytest.raises(TypeError, match="timedelta") if clearing.is_needed() else nullcontext():
        clear()


def as_installed(module, name):
    """A function of a module as its file has it, whatever has replaced it in this process."""
    source = Path(module.__file__).read_text()
    definition = next(node for node in ast.parse(source).body if getattr(node, "name", None) == name)
    scope = dict(vars(module))
    exec(f"from __future__ import annotations\n{ast.get_source_segment(source, definition)}", scope)
    return scope[name]
