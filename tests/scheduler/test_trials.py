"""A trial by `airflow tasks test` or `dags test`: what it leaves, and what the scheduler takes of it."""

from datetime import UTC, datetime
from importlib.metadata import version
from inspect import signature

import pytest

from rankalpha.airflow_fixes import trials
from rankalpha.pipeline.batch import TRIAL

DAG = "rankalpha_scoring"
DATE = "2025-01-01"


@pytest.fixture
def unfixed(monkeypatch):
    """The commands' parts as Airflow has them, in this process."""
    from airflow.cli.commands import task_command
    from airflow.models import dagrun

    for module in (task_command, dagrun):
        replaced = getattr(module, trials.REPLACED)
        monkeypatch.setattr(module, trials.REPLACED, getattr(replaced, "fixes", replaced))


@pytest.fixture
def fixed(unfixed):
    trials.apply()


def taken(session):
    """The ids of the runs that the scheduler would take now."""
    from airflow.models.dagrun import DagRun

    ask = DagRun.get_running_dag_runs_to_examine
    more = {"eagerly_load_dag_tags": False} if "eagerly_load_dag_tags" in signature(ask).parameters else {}
    return [run.run_id for run in ask(session=session, **more)]


@pytest.fixture
def trial(airflow_db):
    """Return a function that makes the run of a trial beside one that events of datasets have started.

    It returns whether every earlier run is left, and whether the scheduler would take the trial now.
    """
    from airflow.cli.commands import task_command
    from airflow.models.dagbag import DBDagBag
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from airflow.utils.state import DagRunState
    from airflow.utils.types import DagRunTriggeredByType, DagRunType
    from sqlalchemy import delete, func, select

    undated = select(func.count()).where(
        DagRun.dag_id == DAG, DagRun.logical_date.is_(None), ~DagRun.run_id.startswith(TRIAL)
    )
    made = []

    def begin(date):
        with create_session() as session:
            dag = DBDagBag().get_latest_version_of_dag(DAG, session=session)
            earlier = dag.create_dagrun(
                run_id=f"earlier~{datetime.now(UTC).timestamp()}",
                run_after=datetime.now(UTC),
                run_type=DagRunType.ASSET_TRIGGERED,
                triggered_by=DagRunTriggeredByType.ASSET,
                state=DagRunState.SUCCESS,
                session=session,
            ).run_id
            session.commit()
            before = session.scalar(undated)
            run, created = task_command._get_dag_run(
                dag=dag, create_if_necessary="db", logical_date_or_run_id=date, session=session
            )
            session.commit()
            assert created
            made.extend([earlier, run.run_id])
            return session.scalar(undated) == before, run.run_id in taken(session)

    yield begin
    with create_session() as session:
        session.execute(delete(DagRun).where(DagRun.run_id.in_(made)))


@pytest.mark.usefixtures("fixed")
@pytest.mark.parametrize("date", [None, DATE])
def test_it_deletes_no_run_and_the_scheduler_leaves_it_alone(trial, date):
    assert trial(date) == (True, False)


@pytest.mark.usefixtures("fixed", "airflow_db")
def test_a_whole_dag_is_tried_in_the_same_way():
    from airflow.models import dagrun
    from airflow.models.dagbag import DBDagBag
    from airflow.utils.session import create_session
    from airflow.utils.types import DagRunTriggeredByType

    now = datetime.now(UTC)
    with create_session() as session:
        run = dagrun.get_or_create_dagrun(  # as `airflow dags test` calls it
            dag=DBDagBag().get_latest_version_of_dag(DAG, session=session),
            start_date=now,
            logical_date=now,
            data_interval=None,
            run_after=now,
            run_id="manual__now",
            session=session,
            conf=None,
            triggered_by=DagRunTriggeredByType.TEST,
            triggering_user_name="dag_test",
        )
        session.flush()
        assert run.run_id.startswith(TRIAL)
        assert run.run_id not in taken(session)
        session.rollback()


@pytest.mark.usefixtures("unfixed")
def test_airflow_itself_deletes_another_run_and_starts_what_follows(trial):
    """Airflow 3.4 deletes none: remove that part of rankalpha/airflow_fixes/trials.py with 3.3."""
    deletes = version("apache-airflow-core").startswith("3.3.")
    assert trial(DATE) == (True, True)
    assert trial(None) == (not deletes, True)
