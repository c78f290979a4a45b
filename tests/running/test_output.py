"""Stages that print much in a running Airflow: they succeed or are stopped, and their logs can be read."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from rankalpha.containers.copier import ENTRY_BYTES

GIBIBYTE = 1024**3  # what the API server has in the containers
KINDS = ("application/json", "application/x-ndjson")
LEFT_OUT = re.compile(r"\d+ lines \([\d.]+ MB\) of the stage's output are not in this log")


def log(lane, run_id, kind):
    """The log of ingestion in one of Airflow's forms."""
    path = f"dags/{lane.dag('ingestion')}/dagRuns/{run_id}/taskInstances/run_ingestion/logs/1"
    session, url = lane.api._session, f"{lane.api.url}/api/v2/{path}"
    return session.get(url, headers={"Accept": kind}, params={"full_content": "true"}, timeout=120)


def peaks(pid):
    """The most memory that a process and its children have had, in bytes."""
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    found = [re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{one.pid}/status").read_text()) for one in family]
    return [int(one[1]) * 1024 for one in found if one]


def fill(folder):
    """Give a task's log the most that it takes, in lines as short as can be: the worst for who reads it."""
    entry = {"level": "info", "logger": "stage", "filename": "task_log.py", "lineno": 23, "try_number": 1}
    names = dict.fromkeys(("ti_id", "dag_id", "task_id", "run_id", "batch"), "x" * 40)
    begin = datetime(2022, 4, 1, 6, tzinfo=UTC)
    lines = int(20e6 / (ENTRY_BYTES + 3))
    with (folder / "attempt=1.log.trigger.0.log").open("w") as file:
        for number in range(lines):
            time = (begin + timedelta(milliseconds=number)).isoformat()
            file.write(json.dumps({"timestamp": time, "event": str(number % 10), **entry, **names}) + "\n")
    return lines


@pytest.fixture(scope="module")
def chatty(lane):
    """The run of a stage that prints more than its log takes."""
    with lane.fault("ingestion", "chatty"):
        return lane.ingest("2022-04-01T06:00:00")


def test_a_chatty_stage_succeeds_and_its_log_says_what_it_lacks(lane, chatty):
    assert lane.tasks("ingestion", chatty)["run_ingestion"]["state"] == "success"
    assert LEFT_OUT.search(log(lane, chatty, KINDS[1]).text)


def test_the_largest_log_is_read_in_both_forms(lane, chatty):
    (folder,) = (lane.stack.state / "airflow" / "logs").glob(f"*/run_id={chatty}/task_id=run_ingestion")
    lines = fill(folder)
    for kind in KINDS:
        answer = log(lane, chatty, kind)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(kind)
        assert answer.text.count('"x' + "x" * 38 + 'x"') >= 5 * lines
    assert max(peaks(lane.stack.processes()["airflow:api-server"])) < GIBIBYTE


def test_the_time_limit_holds_for_a_stage_that_prints_for_ever(lane):
    with lane.fault("ingestion", "chatty for ever then well"):
        run_id = lane.ingest("2022-04-02T06:00:00")
    text = log(lane, run_id, KINDS[1]).text
    assert "was stopped at its time limit" in text
    assert LEFT_OUT.search(text)
    assert len(text) < 25_000_000
    assert lane.tasks("ingestion", run_id)["run_ingestion"]["state"] == "success"
