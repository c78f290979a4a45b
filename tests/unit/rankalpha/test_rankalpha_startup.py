from datetime import UTC, datetime, timedelta

import pytest
from fake_airflow import CONSUMER_DAGS, INGESTION_DAG, FakeAirflow, serving, task

from rankalpha import startup
from rankalpha.airflow_api import AirflowApi
from rankalpha.batch import key_of, parse_key
from rankalpha.startup import NotReady, monitor_execution, trigger_dag, wait_for_airflow

KEY = "2025-11-20T06:00:00"


@pytest.fixture(autouse=True)
def patience(monkeypatch) -> None:
    monkeypatch.setattr(startup, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(startup, "READY_SECONDS", 0.2)
    monkeypatch.setattr(startup, "SCHEDULE_SECONDS", 0.2)
    monkeypatch.setattr(startup, "BATCH_SECONDS", 2)


@pytest.fixture
def airflow() -> FakeAirflow:
    return FakeAirflow()


def not_ready(airflow: FakeAirflow) -> str:
    with serving(airflow) as (api, _), pytest.raises(NotReady) as caught:
        wait_for_airflow(api)
    return str(caught.value)


def triggered(airflow: FakeAirflow) -> tuple[dict, int]:
    """Return the run that the trigger chose, and how many it has made."""
    with serving(airflow) as (api, requests):
        run = trigger_dag(api)
    return run, sum(request.method == "POST" and "dagRuns" in request.path for request in requests)


def monitored(airflow: FakeAirflow, run: dict) -> bool:
    with serving(airflow) as (api, _):
        return monitor_execution(api, run)


def test_a_ready_airflow(airflow):
    with serving(airflow) as (api, _):
        wait_for_airflow(api)


def test_an_airflow_that_gets_ready(airflow, monkeypatch):
    monkeypatch.setattr(startup, "READY_SECONDS", 10)
    airflow.trouble = [(503, "starting"), (502, "<html>proxy</html>"), (200, "not yet")]
    with serving(airflow) as (api, _):
        wait_for_airflow(api)
    assert airflow.trouble == []


def test_a_broken_answer_about_the_dags_is_asked_for_again(airflow, monkeypatch):
    monkeypatch.setattr(startup, "READY_SECONDS", 10)
    with serving(airflow) as (api, requests):
        api.get("importErrors")
        healthy = airflow._route

        def route(request, parts):
            if parts == ["monitor", "health"]:
                airflow.trouble = [(500, "oops")]
            return healthy(request, parts)

        airflow._route = route
        wait_for_airflow(api)
    assert sum(request.path.endswith("/importErrors") for request in requests) == 4


def test_nobody_answers():
    with pytest.raises(
        NotReady, match=r"not ready after 0 s: Airflow does not answer at http://127\.0\.0\.1:9 \("
    ):
        wait_for_airflow(AirflowApi("http://127.0.0.1:9", "rankalpha", "sesame"))


def test_an_unhealthy_component_is_named(airflow):
    airflow.health["scheduler"] = "unhealthy"
    airflow.health["triggerer"] = None
    assert "not healthy: scheduler, triggerer" in not_ready(airflow)


def test_a_broken_dag_is_named_at_once(airflow, monkeypatch):
    monkeypatch.setattr(startup, "READY_SECONDS", 60)
    trace = "Traceback (most recent call last):\n  ...\nImportError: no module named x\n"
    airflow.import_errors = [{"filename": "dags/scoring.py", "stack_trace": trace}]
    assert not_ready(airflow) == "dags/scoring.py: ImportError: no module named x"


def test_a_dag_that_is_not_parsed_is_named(airflow):
    del airflow.dags["rankalpha_sentiment"]
    assert "not parsed yet: rankalpha_sentiment" in not_ready(airflow)


@pytest.mark.parametrize("dag_id", [INGESTION_DAG, *CONSUMER_DAGS])
def test_a_paused_dag_is_named_at_once(airflow, dag_id):
    airflow.dags[dag_id]["is_paused"] = True
    assert not_ready(airflow).startswith(f"{dag_id} is paused, so a batch would stop there; unpause it")


@pytest.mark.parametrize("state", ["running", "queued"])
def test_an_active_run_is_followed(airflow, state):
    expected = airflow.add(INGESTION_DAG, state, KEY, hours_ago=100)
    airflow.add(INGESTION_DAG, "success", KEY, hours_ago=1)
    assert triggered(airflow) == (expected, 0)


def test_the_success_of_the_present_day_is_followed(airflow):
    airflow.add(INGESTION_DAG, "success", KEY, hours_ago=18)
    expected = airflow.add(INGESTION_DAG, "success", KEY, hours_ago=2)
    assert triggered(airflow) == (expected, 0)


@pytest.mark.parametrize(("state", "hours_ago"), [("failed", 2), ("success", 20), ("success", 100)])
def test_otherwise_a_new_batch_is_started(airflow, state, hours_ago):
    """The next run is due in 5 hours, so that the present day began 19 hours ago."""
    airflow.add(INGESTION_DAG, state, KEY, hours_ago)
    run, made = triggered(airflow)
    assert made == 1
    assert abs(datetime.now(UTC) - parse_key(run["partition_key"])) < timedelta(seconds=5)
    assert run["logical_date"] is None
    assert run["note"] == "start-up trigger"


def test_a_first_batch(airflow):
    run, made = triggered(airflow)
    assert (made, run["state"]) == (1, "queued")


def test_a_run_that_the_scheduler_is_about_to_create_is_waited_for(airflow, monkeypatch):
    monkeypatch.setattr(startup, "SCHEDULE_SECONDS", 10)
    airflow.due = datetime.now(UTC) - timedelta(minutes=1)
    looks = []

    def route(request, parts):
        if parts == ["dags", INGESTION_DAG]:
            looks.append(request)
            if len(looks) == 3:
                airflow.add(INGESTION_DAG, "running", KEY)
                airflow.due += timedelta(days=1)
        return FakeAirflow._route(airflow, request, parts)

    airflow._route = route
    run, made = triggered(airflow)
    assert (made, run["partition_key"], len(looks)) == (0, KEY, 3)


def test_a_schedule_that_stays_overdue_is_not_waited_for_for_ever(airflow):
    airflow.due = datetime.now(UTC) - timedelta(minutes=1)
    assert triggered(airflow)[1] == 1


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
    assert monitored(airflow, graded(airflow)) is True
    text = capsys.readouterr().out
    assert f"Following batch {KEY}" in text
    assert "rankalpha_ingestion  run_ingestion      success in 1.5 s" in text
    assert f"Batch {KEY} is graded and the frontend is notified." in text


def test_a_failed_dag_is_named(airflow, capsys):
    run = airflow.add(INGESTION_DAG, "success", KEY)
    airflow.add("rankalpha_scoring", "running", KEY)
    airflow.add("rankalpha_sentiment", "failed", KEY)["tasks"] = [task("run_ai_analysis", "failed", 4)]
    assert monitored(airflow, run) is False
    text = capsys.readouterr().out
    assert "run_ai_analysis    failed (try 4)" in text
    assert "Failed: rankalpha_sentiment. Its page in the Airflow UI" in text
    assert "giving up" not in text


def test_the_failure_of_another_batch_does_not_matter(airflow):
    run = graded(airflow)
    airflow.add("rankalpha_scoring", "failed", "2025-11-19T06:00:00")
    assert monitored(airflow, run) is True


def test_a_rerun_counts_and_not_the_failure_before_it(airflow):
    run = graded(airflow)
    airflow.add("rankalpha_scoring", "failed", KEY, hours_ago=1)
    airflow.add("rankalpha_scoring", "success", KEY)
    assert monitored(airflow, run) is True


@pytest.mark.parametrize("trouble", [(500, "oops"), (503, "starting"), (200, "<html>")])
def test_an_airflow_that_is_briefly_down_is_asked_again(airflow, capsys, trouble):
    run = graded(airflow)
    airflow.trouble = [trouble] * 3
    assert monitored(airflow, run) is True
    assert capsys.readouterr().out.count("Airflow does not answer, asking again") == 3


def test_a_batch_that_takes_too_long_is_given_up(airflow, monkeypatch, capsys):
    monkeypatch.setattr(startup, "BATCH_SECONDS", 0.1)
    run = airflow.add(INGESTION_DAG, "running", KEY)
    assert monitored(airflow, run) is False
    assert f"Batch {KEY} was not graded within" in capsys.readouterr().out


def test_the_batch_of_a_run_without_a_key_is_that_of_its_time(airflow, capsys):
    run = airflow.add(INGESTION_DAG, "failed", None)
    assert monitored(airflow, run) is False
    assert f"Following batch {key_of(datetime.fromisoformat(run['run_after']))}" in capsys.readouterr().out
