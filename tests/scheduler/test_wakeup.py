"""What PostgreSQL notifies the scheduler of: the work of others, and nothing that it has written itself."""

import multiprocessing
import os
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from rankalpha.airflow_fixes import wakeup as module
from rankalpha.airflow_fixes.wakeup import AGAIN_SECONDS, FIX, Wakeup
from rankalpha.stack.notices import NOTICES, remove_notices, write_notices
from tests.scheduler.joining import Pipeline, fresh_keys
from tests.scheduler.runs import Run
from tests.support.waiting import wait_for

SOON, MEANWHILE = 5, 0.3  # seconds: a notification comes by then; none comes


@pytest.fixture(scope="module")
def pipeline(airflow_db):
    return Pipeline()


@pytest.fixture
def wakeup(airflow_db):
    made = Wakeup()
    assert made.wait(SOON), "it does not listen"
    assert not made.wait(0)
    return made


@pytest.mark.parametrize("state", ["success", "failed", "skipped", "up_for_retry"])
def test_a_task_that_has_ended(pipeline, wakeup, state):
    run = Run(pipeline, "scheduled")
    run.change(run="running", task="running")
    assert not wakeup.wait(MEANWHILE)
    run.change(task=state)
    assert wakeup.wait(SOON)
    assert not wakeup.wait(MEANWHILE)


def test_a_trigger_that_has_fired(pipeline, wakeup):
    run = Run(pipeline, "scheduled")
    run.change(run="running", task="running")
    run.change(task="deferred")
    assert not wakeup.wait(MEANWHILE)
    run.change(task="scheduled")
    assert wakeup.wait(SOON)


def test_a_run_that_somebody_asked_for(pipeline, wakeup):
    Run(pipeline, "manual")
    assert wakeup.wait(SOON)


@pytest.mark.parametrize("state", ["running", "success"])
def test_a_run_that_is_cleared(pipeline, wakeup, state):
    run = Run(pipeline, "scheduled")
    run.change(run=state, task="success")
    assert not wakeup.wait(MEANWHILE)
    run.clear()
    assert wakeup.wait(SOON)


def test_an_event_of_a_dataset(pipeline, wakeup):
    (key,) = fresh_keys(1)
    pipeline.publish("prices", key)
    assert wakeup.wait(SOON)


def test_the_scheduler_does_not_wake_itself(pipeline, wakeup):
    (key,) = fresh_keys(1)
    for half in ("scores", "sentiment"):
        pipeline.publish(half, key)
    assert wakeup.wait(SOON)
    while wakeup.wait(MEANWHILE):
        """Both events, and their runs, which are manual."""
    assert pipeline.tick(), "it makes no run"
    run = Run(pipeline, "asset_triggered")
    run.change(run="running")
    for state in ("scheduled", "queued", "running"):
        run.change(task=state)
    run.change(run="success")
    assert not wakeup.wait(MEANWHILE)


def test_a_lost_connection_is_news_and_made_again(pipeline, wakeup, monkeypatch):
    from airflow.utils.session import create_session
    from sqlalchemy import text

    with create_session() as session:
        session.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": backend(wakeup)})
    wait_for("the loss of the connection", lambda: wakeup.wait(SOON))
    assert not wakeup.listens
    assert not wakeup.wait(0), "it tried again at once"
    later = SimpleNamespace(monotonic=lambda: time.monotonic() + AGAIN_SECONDS, sleep=time.sleep)
    monkeypatch.setattr(module, "time", later)
    assert wakeup.wait(0), "what came meanwhile is not looked at"
    assert wakeup.listens
    Run(pipeline, "manual")
    assert wakeup.wait(SOON)


def test_a_process_that_is_forked_holds_no_connection(pipeline, wakeup):
    socket = os.fstat(wakeup._connection.fileno()).st_ino
    held = multiprocessing.get_context("fork").SimpleQueue()

    def report():
        held.put([wakeup.listens, socket in open_files()])

    process = multiprocessing.get_context("fork").Process(target=report)
    process.start()
    process.join(60)
    assert held.get() == [False, False]
    Run(pipeline, "manual")
    assert wakeup.wait(SOON), "the process has ended its scheduler's connection"


def test_a_database_without_a_trigger_is_not_listened_to(airflow_db, caplog):
    database = os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]
    try:
        remove_notices(database)
        remove_notices(database)
        wakeup = Wakeup()
        began = time.monotonic()
        assert not wakeup.wait(MEANWHILE)
        assert time.monotonic() - began >= MEANWHILE
        assert not wakeup.listens
        assert "lacks the triggers" in caplog.text
    finally:
        write_notices(database)
    write_notices(database)
    assert FIX.on(wakeup)


def test_a_database_that_refuses_the_triggers_is_logged(airflow_db, monkeypatch, caplog):
    monkeypatch.setitem(NOTICES, "rankalpha_event", NOTICES["rankalpha_event"]._replace(table="none"))
    write_notices(os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"])
    assert "cannot notify Airflow of work" in caplog.text


def backend(wakeup):
    """The process of PostgreSQL that serves a connection."""
    return wakeup._connection.get_backend_pid()


def open_files():
    """The inodes of what this process has open."""
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # what has read the folder
            yield entry.stat().st_ino
