"""The main job as a new user runs it: a clean checkout, `make up`, and the first day with it."""

import contextlib
import json
import re
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import psutil
import pytest
import requests

from rankalpha.pipeline import PIPELINE
from tests.support.stack import RunningStack, copy_checkout

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def checkout(home):
    """What a user has cloned; the clock starts no batch meanwhile, for the next one is due in half a day."""
    clone = copy_checkout(home / "clone")
    markets, then = clone / "datasets" / "markets.toml", datetime.now(UTC) + timedelta(hours=12)
    text = markets.read_text()
    assert "0 6 * * *" in text
    markets.write_text(text.replace("0 6 * * *", f"{then.minute} {then.hour} * * *"))
    return clone


@pytest.fixture(scope="module")
def stack(checkout):
    running = RunningStack(checkout / ".rankalpha", checkout=checkout)
    try:
        yield running
    finally:
        running.run("make", "clean")


@pytest.fixture(scope="module")
def first_up(stack):
    """The output of the first `make up`."""
    base = getattr(sys, "_base_executable", sys.executable)
    done = stack.run("make", "up", f"PYTHON={base}", timeout=800)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def batch(first_up):
    return re.search(r"Batch (\S+) is graded and the frontend is notified", first_up)[1]


def grades(stack):
    return requests.get(f"{stack.urls['api']}/api/v1/grading/grades", timeout=10).json()


def test_the_terminal_shows_each_stage_and_the_top_grades(first_up, stack):
    for task in ("run_ingestion", "run_scorer", "run_ai_analysis", "update_grading", "notify_frontend"):
        assert re.search(rf"{task} +success", first_up)
    assert "Top grades of batch" in first_up
    assert stack.urls["airflow"] in first_up
    assert stack.urls["frontend"] in first_up


def test_the_batch_is_graded_from_real_prices(stack, batch):
    found = grades(stack)
    assert found["batch"] == batch
    assert len(found["grades"]) == 20
    assert {"A", "F"} <= {row["grade"] for row in found["grades"]} <= set("ABCDF")
    by_rank = [row["composite"] for row in found["grades"]]
    assert by_rank == sorted(by_rank, reverse=True)


def test_every_dataset_has_one_event_of_the_batch_with_its_figures(stack, batch):
    for asset in ("prices", "scores", "sentiment", "grades"):
        (event,) = [event for event in stack.events(asset) if event["partition_key"] == batch]
        assert event["extra"]["rows"] > 0
        assert event["extra"]["as_of"] == "2022-12-28"
        assert event["extra"]["checksum"].startswith("sha256:")


def test_a_second_up_is_harmless(stack, batch):
    again = stack.run("make", "up")
    assert again.returncode == 0, again.stdout
    assert "already running" in again.stdout
    assert len(stack.runs("rankalpha_ingestion")) == 1
    assert grades(stack)["batch"] == batch


def test_a_stage_alone_leads_to_new_grades_of_the_same_batch(stack, batch):
    stack.trigger("rankalpha_scoring")
    stack.settle()
    runs = stack.runs("rankalpha_grading")
    assert [(run["partition_key"], run["state"]) for run in runs] == [(batch, "success")] * 2


def test_one_task_can_be_tried_out_by_hand(stack, batch):
    """As in the README, the DAG paused meanwhile; it starts no batch that anybody sees."""
    stack.airflow("dags pause rankalpha_ingestion")
    tried = stack.airflow("tasks test rankalpha_ingestion run_ingestion 2025-01-01")
    stack.airflow("dags unpause rankalpha_ingestion")
    assert "Batch 2025-01-01T00:00:00" in tried
    assert len(stack.events("prices")) == 1


def test_a_busy_port_is_a_clear_error_before_anything_starts(stack, first_up, tmp_path):
    port = stack.env["RANKALPHA_AIRFLOW_PORT"]
    other = RunningStack(tmp_path / "other", checkout=stack.checkout)
    other.env["RANKALPHA_AIRFLOW_PORT"] = port
    done = other.run("make", "up")
    assert done.returncode != 0
    assert f"port already in use: RANKALPHA_AIRFLOW_PORT={port}" in done.stdout
    assert not (tmp_path / "other/postgres").exists()


def processes(stack):
    """The processes of the stack, however they call themselves, PostgreSQL's too."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            words = " ".join([process.cwd(), *process.cmdline(), *process.environ().values()])
            if str(stack.checkout) in words and "pytest" not in words:
                found.append(process)
    return found


def test_a_component_that_dies_is_restarted(stack, first_up):
    before = stack.run("make", "status").stdout
    pid = int(re.search(r"airflow:scheduler +RUNNING +pid (\d+)", before)[1])
    psutil.Process(pid).kill()
    for _ in range(60):
        found = re.search(r"airflow:scheduler +RUNNING +pid (\d+)", stack.run("make", "status").stdout)
        if found and int(found[1]) != pid:
            return
        time.sleep(1)
    pytest.fail("the scheduler was not restarted")


def test_up_recovers_after_everything_was_killed(stack, batch):
    killed = processes(stack)
    assert len(killed) > 7
    for process in killed:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(killed, timeout=30)
    again = stack.run("make", "up")
    assert again.returncode == 0, again.stdout
    assert grades(stack)["batch"] == batch
    stack.trigger("rankalpha_ingestion")
    stack.settle()
    assert grades(stack)["batch"] > batch
    assert all(run["state"] == "success" for dag_id in PIPELINE for run in stack.runs(dag_id))


def test_an_unknown_profile_is_a_clear_error_before_anything_starts(stack, first_up, home):
    other = RunningStack(home / "other", checkout=stack.checkout, RANKALPHA_ENV="moon")
    done = other.run("make", "up")
    assert done.returncode != 0
    assert "env/moon/api.env is missing" in done.stdout
    assert not (home / "other/postgres").exists()


def test_down_and_clean_leave_nothing_behind(stack, first_up):
    """Not even what a scheduler that died just before has left."""
    status = stack.run("make", "status").stdout
    psutil.Process(int(re.search(r"airflow:scheduler +RUNNING +pid (\d+)", status)[1])).kill()
    assert stack.run("make", "down").returncode == 0
    assert processes(stack) == []
    assert "is down" in stack.run("make", "status").stdout
    assert stack.run("make", "clean").returncode == 0
    assert not stack.state.exists()
    untracked = subprocess.run(["ls", "-A"], cwd=stack.checkout, capture_output=True, text=True, check=True)
    assert ".rankalpha" not in json.dumps(untracked.stdout)
