from datetime import datetime

import pytest

from rankalpha.commands import progress
from rankalpha.commands.progress import monitor_execution
from rankalpha.pipeline.batch import key_of
from tests.unit.rankalpha.support.fake_airflow import INGESTION_DAG, FakeAirflow, serving, task

KEY = "2025-11-20T06:00:00"


class Clock:
    """Goes on by what is slept, and no further however busy the machine is."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch) -> None:
    monkeypatch.setattr(progress, "time", Clock())


@pytest.fixture
def airflow() -> FakeAirflow:
    return FakeAirflow()


def monitored(airflow: FakeAirflow, run: dict) -> str:
    with serving(airflow) as (api, _):
        return monitor_execution(api, run)


def graded(airflow: FakeAirflow) -> dict:
    """Let a batch of Airflow be graded after some looks at it; return its ingestion run."""
    run = airflow.add(INGESTION_DAG, "running", KEY)
    airflow.add("rankalpha_grading", "success", "2025-11-19T06:00:00", hours_ago=24)
    looks = []

    def look() -> None:
        looks.append(None)
        if len(looks) == 2:
            run["state"] = "success"
            run["tasks"] = [task("run_ingestion", "success", duration=1.5)]
        if len(looks) == 4:
            airflow.add("rankalpha_grading", "running", KEY)
        if len(looks) == 8:
            airflow.runs["rankalpha_grading"][-1]["state"] = "success"

    airflow.on_look = look
    return run


def test_a_batch_is_followed_until_it_is_graded(airflow, capsys):
    assert monitored(airflow, graded(airflow)) == "done"
    text = capsys.readouterr().out
    assert f"Following batch {KEY}" in text
    assert "rankalpha_ingestion  run_ingestion      success in 1.5 s" in text
    assert f"Batch {KEY} is graded and the frontend is notified." in text


def test_a_failed_dag_is_named(airflow, capsys):
    run = airflow.add(INGESTION_DAG, "success", KEY)
    airflow.add("rankalpha_scoring", "running", KEY)
    airflow.add("rankalpha_sentiment", "failed", KEY)["tasks"] = [task("run_ai_analysis", "failed", 4)]
    assert monitored(airflow, run) == "failed"
    text = capsys.readouterr().out
    assert "run_ai_analysis    failed (attempt 4)" in text
    assert "Failed: rankalpha_sentiment. Its page in the Airflow UI" in text
    assert "no longer followed" not in text


def test_the_failure_of_another_batch_does_not_matter(airflow):
    run = graded(airflow)
    airflow.add("rankalpha_scoring", "failed", "2025-11-19T06:00:00")
    assert monitored(airflow, run) == "done"


def test_a_rerun_counts_and_not_the_failure_before_it(airflow):
    run = graded(airflow)
    airflow.add("rankalpha_scoring", "failed", KEY, hours_ago=1)
    airflow.add("rankalpha_scoring", "success", KEY)
    assert monitored(airflow, run) == "done"


@pytest.mark.parametrize("trouble", [(500, "oops"), (503, "starting"), (200, "<html>")])
def test_an_airflow_that_is_briefly_down_is_asked_again(airflow, capsys, trouble):
    run = graded(airflow)
    airflow.trouble = [trouble] * 3
    assert monitored(airflow, run) == "done"
    assert capsys.readouterr().out.count("Airflow does not answer; asking again") == 3


def test_a_batch_that_takes_too_long_is_given_up(airflow, monkeypatch, capsys):
    monkeypatch.setattr(progress, "BATCH_SECONDS", 60)
    run = airflow.add(INGESTION_DAG, "running", KEY)
    assert monitored(airflow, run) == "failed"
    assert f"Batch {KEY} was not graded within" in capsys.readouterr().out


def test_the_batch_of_a_run_without_a_key_is_that_of_its_time(airflow, capsys):
    run = airflow.add(INGESTION_DAG, "failed", None)
    assert monitored(airflow, run) == "failed"
    assert f"Following batch {key_of(datetime.fromisoformat(run['run_after']))}" in capsys.readouterr().out


def test_a_batch_that_waits_for_a_paused_dag_is_held(airflow, capsys):
    run = airflow.add(INGESTION_DAG, "success", KEY)
    airflow.add("rankalpha_sentiment", "success", KEY)
    airflow.add("rankalpha_scoring", "queued", KEY)
    airflow.dags["rankalpha_scoring"]["is_paused"] = True
    assert monitored(airflow, run) == "held"
    assert (
        f"Batch {KEY} waits for rankalpha_scoring, which an operator has paused." in capsys.readouterr().out
    )


def test_what_runs_beside_a_paused_dag_is_followed_to_its_end(airflow, capsys):
    run = airflow.add(INGESTION_DAG, "success", KEY)
    sentiment = airflow.add("rankalpha_sentiment", "running", KEY)
    airflow.dags["rankalpha_scoring"]["is_paused"] = True
    looks = []

    def look() -> None:
        looks.append(None)
        if len(looks) == 60:  # a second each, longer than HELD_SECONDS
            sentiment["state"] = "success"

    airflow.on_look = look
    assert monitored(airflow, run) == "held"
    assert len(looks) > 60


def test_a_run_alone_is_followed_to_its_end(airflow, capsys):
    run = airflow.add("rankalpha_scoring", "success", KEY)
    with serving(airflow) as (api, _):
        assert monitor_execution(api, run, downstream=False) == "done"
    assert f"Batch {KEY} is complete." in capsys.readouterr().out
