"""An upgrade from a version in which our code had other names, while a stage is deferred."""

import os
from pathlib import Path

import psutil
import pytest

from rankalpha.stack.upgrade import RENAMED
from tests.support.waiting import wait_for

pytestmark = [
    pytest.mark.usefixtures("well_again"),
    pytest.mark.timeout(900),  # the stack starts a second time, and a batch runs in each
]
OLD = {new: old for old, new in RENAMED.items()}
TRIGGER = "rankalpha.containers.trigger.StageTrigger"
MISSED = "rankalpha.alerts.deadline.missed"
CALLBACKS = "SELECT DISTINCT data->'__var'->>'path' FROM callback"
ALERTS = "SELECT DISTINCT callback_def->'__data__'->>'path' FROM deadline_alert"
NOT_LOADED = "Trigger failed to load code"  # what Airflow logs of a name that is not there
TRIGGERS = "SELECT DISTINCT classpath FROM trigger WHERE classpath LIKE 'rankalpha%'"


def kill_airflow(stack):
    """Kill the supervisor and what it has started; stages and PostgreSQL go on."""
    supervisor = int(Path(stack.state, "supervisord.pid").read_text())
    killed = [process for process in psutil.process_iter() if session_of(process) == supervisor]
    for process in killed:
        process.kill()
    psutil.wait_procs(killed, timeout=30)


def session_of(process):
    try:
        return os.getsid(process.pid)
    except ProcessLookupError:
        return None


def as_before(stack):
    """Let the database hold the names that an older version has stored."""
    stack.query(f"UPDATE trigger SET classpath = '{OLD[TRIGGER]}' WHERE classpath = '{TRIGGER}' RETURNING id")
    for table, column, kind in (("callback", "data", "json"), ("deadline_alert", "callback_def", "json")):
        new = f"replace({column}::text, '{MISSED}', '{OLD[MISSED]}')::{kind}"
        stack.query(f"UPDATE {table} SET {column} = {new} RETURNING id")
    assert stack.query(TRIGGERS) == [OLD[TRIGGER]]
    assert stack.query(CALLBACKS) == stack.query(ALERTS) == [OLD[MISSED]]


def test_a_deferred_stage_a_deadline_and_a_waiting_batch_survive(stack, lane):
    waiting, deferred = "2022-09-01T06:00:00", "2022-09-02T06:00:00"
    lane.settle()
    with lane.paused("grading"):
        lane.trigger("ingestion", waiting)
        wait_for("the batch to wait", lambda: lane.runs_of("grading", waiting), 180)
        with lane.fault("ingestion", "held"):
            run_id = lane.trigger("ingestion", deferred)

            def state():
                return lane.tasks("ingestion", run_id)["run_ingestion"]["state"]

            wait_for("the stage to be deferred", lambda: state() == "deferred", 180)
            kill_airflow(stack)
        as_before(stack)
        stack.start()
        assert stack.query(TRIGGERS) in ([TRIGGER], [])  # the stage has ended, so that it fires at once
        assert stack.query(CALLBACKS) == stack.query(ALERTS) == [MISSED]
        wait_for("the end of the stage", lambda: state() in ("success", "failed"), 300)
        assert state() == "success"
        assert len(lane.journal("ingestion", deferred)) == 1
        triggerer = Path(stack.state, "logs", "airflow-triggerer.log").read_text()
        log = lane.log("ingestion", run_id, "run_ingestion")
        assert "Trigger fired event" in log
        assert NOT_LOADED not in triggerer + log, "a failure of the task, which uses a retry"
    lane.settle()
    for key in (waiting, deferred):
        assert [run["state"] for run in lane.runs_of("grading", key)] == ["success"]
