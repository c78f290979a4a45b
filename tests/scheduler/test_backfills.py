"""A backfill of past days, as docs/operate/everyday.md has it: what the scheduler makes after it."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from rankalpha.airflow_fixes import backfills

DAG = "rankalpha_ingestion"
NOW = datetime.now(UTC)


@pytest.fixture
def scheduled_next(airflow_db):
    """Return a function that parses the DAGs after runs of some days, and says when the next run is due."""
    from airflow.models.dag import DagModel
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from airflow.utils.state import DagRunState
    from airflow.utils.types import DagRunType
    from sqlalchemy import delete

    from rankalpha.stack.prepare import airflow

    ours = (DagRun.dag_id == DAG, DagRun.run_id.startswith("backfills~"))

    def parsed(**days):
        with create_session() as session:
            session.execute(delete(DagRun).where(*ours))
            for kind, ago in ((kind, ago) for kind, many in days.items() for ago in many):
                moment = datetime(NOW.year, NOW.month, NOW.day, 6, tzinfo=UTC) - timedelta(days=ago)
                run = DagRun(
                    dag_id=DAG,
                    run_id=f"backfills~{kind}~{ago}",
                    run_type=DagRunType(kind),
                    run_after=moment,
                    partition_key=f"{moment:%Y-%m-%dT%H:%M:%S}",
                    partition_date=moment,
                    state=DagRunState.SUCCESS,
                )
                session.add(run)
        airflow("dags", "reserialize")
        with create_session() as session:
            return session.get(DagModel, DAG).next_dagrun_create_after

    yield parsed
    with create_session() as session:
        session.execute(delete(DagRun).where(*ours))


@pytest.fixture
def unfixed(monkeypatch):
    """The DAG processor's part as Airflow has it, in this process."""
    from airflow.dag_processing import collection

    replaced = getattr(collection, backfills.REPLACED)
    monkeypatch.setattr(collection, backfills.REPLACED, getattr(replaced, "fixes", replaced))


def test_airflow_itself_makes_a_run_of_the_past_after_a_backfill(unfixed, scheduled_next):
    """When this fails it does not: remove rankalpha/airflow_fixes/backfills.py."""
    assert scheduled_next() > NOW
    assert scheduled_next(backfill=(5, 4)) <= NOW


def test_after_a_backfill_no_scheduled_run_of_the_past_follows(unfixed, scheduled_next):
    backfills.apply()
    assert scheduled_next(backfill=(5, 4)) > NOW


def test_a_time_that_was_missed_is_made_up_for_as_before(unfixed, scheduled_next):
    """The stack was down when its last run was due; a backfill of earlier days changes nothing."""
    backfills.apply()
    assert scheduled_next(scheduled=(3,), backfill=(5, 4)) <= NOW
    assert scheduled_next(scheduled=(3,), backfill=(2,)) <= NOW


def test_a_backfill_of_the_time_that_has_just_passed_is_not_repeated(unfixed, scheduled_next):
    backfills.apply()
    just = 0 if NOW.hour >= 6 else 1  # days ago
    assert scheduled_next(scheduled=(3,), backfill=(just,)) > NOW
    assert scheduled_next(backfill=(just,)) > NOW


def test_the_dag_processor_has_the_fix(scheduled_next, root):
    """It parses all files once, in a process of its own, as in every stack."""
    from airflow.models.dag import DagModel
    from airflow.utils.session import create_session

    scheduled_next(backfill=(5, 4))
    with create_session() as session:
        session.get(DagModel, DAG).next_dagrun_create_after = None
    command = [sys.executable, "-m", "airflow", "dag-processor", "--num-runs", "1"]
    done = subprocess.run(
        command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=180
    )
    with create_session() as session:
        due = session.get(DagModel, DAG).next_dagrun_create_after
    assert due, done.stdout
    assert due > NOW
