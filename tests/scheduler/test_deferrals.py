"""A deferred task in a real triggerer: how long it takes until its trigger has fired and it can go on."""

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from statistics import median

import pytest

from rankalpha.airflow_fixes.deferrals import EXECUTOR
from rankalpha.airflow_fixes.wakeup import AGAIN_SECONDS
from rankalpha.stack.notices import TRIGGERER, remove_notices, write_notices
from tests.scheduler.joining import Pipeline
from tests.scheduler.runs import Run
from tests.support.waiting import wait_for

LIMIT = 0.5  # seconds; Airflow's own way takes about one, ours a tenth
LISTENERS = f"SELECT pid FROM pg_stat_activity WHERE query = 'LISTEN {TRIGGERER}'"


@pytest.fixture(scope="module")
def pipeline(airflow_db):
    return Pipeline()


@contextmanager
def triggerer(log):
    """Run Airflow's triggerer, with whatever our plugin does to it."""
    command = [sys.executable, "-m", "airflow", "triggerer", "--skip-serve-logs"]
    env = os.environ | {"AIRFLOW__CORE__EXECUTOR": EXECUTOR}
    with log.open("w") as output:
        process = subprocess.Popen(command, env=env, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield
    except BaseException:
        print(log.read_text())
        raise
    finally:
        process.terminate()
        process.wait(60)


def execute(query):
    from airflow.utils.session import create_session
    from sqlalchemy import text

    with create_session() as session:
        return session.scalars(text(query)).all()


def seconds(pipeline):
    """How long a task is deferred whose trigger fires as soon as it runs."""
    from airflow.providers.standard.triggers.temporal import DateTimeTrigger

    run = Run(pipeline, "scheduled")
    run.change(run="running", task="running")
    began = time.monotonic()
    run.defer(DateTimeTrigger(datetime(2020, 1, 1, tzinfo=UTC)))
    while run.state() == "deferred":
        assert time.monotonic() < began + 60, "its trigger never fires"
        time.sleep(0.01)
    return time.monotonic() - began


def test_a_deferred_task_waits_for_no_look_unless_it_has_to(pipeline, tmp_path):
    """When the second half fails, Airflow is as fast: remove rankalpha/airflow_fixes/deferrals.py."""
    database = os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]
    log = tmp_path / "triggerer.log"
    with triggerer(log):
        (first,) = wait_for("the triggerer to listen", lambda: execute(LISTENERS))
        seconds(pipeline)  # loads the trigger's code
        assert median(seconds(pipeline) for _ in range(5)) < LIMIT
        remove_notices(database)
        try:
            execute(f"SELECT pg_terminate_backend({first})")
            assert median(seconds(pipeline) for _ in range(3)) > LIMIT
            wait_for("the loss to be logged", lambda: "The connection that wakes this" in log.read_text())
            wait_for("the next attempt", lambda: "lacks the triggers" in log.read_text(), 2 * AGAIN_SECONDS)
        finally:
            write_notices(database)
        wait_for("the triggerer to listen again", lambda: execute(LISTENERS), 2 * AGAIN_SECONDS)
        assert median(seconds(pipeline) for _ in range(5)) < LIMIT
