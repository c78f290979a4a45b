import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from rankalpha.airflow_api import AirflowApi
from rankalpha.commands import readiness, startup
from rankalpha.commands.readiness import NotReady, wait_for_airflow
from rankalpha.commands.startup import Paused, trigger_dag
from rankalpha.pipeline.batch import TRIAL, parse_key
from rankalpha.pipeline.pipelines import DEFAULT_PIPELINE
from tests.unit.rankalpha.support.fake_airflow import CONSUMER_DAGS, INGESTION_DAG, FakeAirflow, serving

KEY, NEWEST = "2025-11-20T06:00:00", "2025-11-24T06:00:00"


@pytest.fixture(autouse=True)
def patience(monkeypatch) -> None:
    for module in (readiness, startup):
        monkeypatch.setattr(module, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(readiness, "READY_SECONDS", 0.2)
    monkeypatch.setattr(startup, "SCHEDULE_SECONDS", 0.2)


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
        run = trigger_dag(api, airflow.pipeline)
    return run, sum(request.method == "POST" and "dagRuns" in request.path for request in requests)


def test_a_ready_airflow(airflow):
    with serving(airflow) as (api, _):
        wait_for_airflow(api)


def test_an_airflow_that_gets_ready(airflow, monkeypatch):
    monkeypatch.setattr(readiness, "READY_SECONDS", 10)
    airflow.trouble = [(503, "starting"), (502, "<html>proxy</html>"), (200, "not yet")]
    with serving(airflow) as (api, _):
        wait_for_airflow(api)
    assert airflow.trouble == []


def test_a_broken_answer_about_the_dags_is_asked_for_again(airflow, monkeypatch):
    monkeypatch.setattr(readiness, "READY_SECONDS", 10)
    with serving(airflow) as (api, requests):
        api.get("importErrors")
        healthy = airflow._route

        def route(request, parts):
            if parts == ["monitor", "health"]:
                airflow.trouble = [(500, "oops")]
            return healthy(request, parts)

        airflow._route = route
        wait_for_airflow(api)
    assert sum(request.path.endswith("/importErrors") for request in requests) == 5


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
    monkeypatch.setattr(readiness, "READY_SECONDS", 60)
    trace = "Traceback (most recent call last):\n  ...\nImportError: no module named x\n"
    airflow.import_errors = [{"filename": "dags/scoring.py", "stack_trace": trace}]
    assert not_ready(airflow) == "dags/scoring.py: ImportError: no module named x"


def test_a_dag_that_is_not_parsed_is_named(airflow):
    del airflow.dags["rankalpha_sentiment"]
    assert "not parsed yet: rankalpha_sentiment" in not_ready(airflow)


def test_a_dag_that_is_listed_but_not_written_down_yet_is_waited_for(airflow):
    airflow.unwritten.add("rankalpha_grading")
    assert "not parsed yet: rankalpha_grading" in not_ready(airflow)
    airflow.unwritten.clear()
    with serving(airflow) as (api, _):
        assert wait_for_airflow(api) == []


@pytest.mark.parametrize("dag_id", sorted(set(CONSUMER_DAGS) - set(DEFAULT_PIPELINE.optional)))
def test_a_consumer_that_is_paused_is_respected_and_said(airflow, dag_id):
    airflow.dags[dag_id]["is_paused"] = True
    with serving(airflow) as (api, requests):
        assert wait_for_airflow(api) == [
            f"{dag_id} is paused: a batch will wait there until an operator unpauses it"
        ]
    assert not any(request.method == "PATCH" for request in requests)


def test_of_a_step_that_no_batch_waits_for_nothing_is_said(airflow):
    for dag_id in DEFAULT_PIPELINE.optional:
        airflow.dags[dag_id]["is_paused"] = True
    with serving(airflow) as (api, _):
        assert wait_for_airflow(api) == []


@pytest.mark.parametrize("state", [{"is_paused": True}, {"scheduling_state": "draining"}])
def test_no_batch_is_started_while_ingestion_is_paused(airflow, state):
    airflow.dags[INGESTION_DAG] |= state
    with serving(airflow) as (api, requests):
        wait_for_airflow(api)
        with pytest.raises(Paused, match=f"{INGESTION_DAG} is paused, so no batch is started"):
            trigger_dag(api, airflow.pipeline)
    assert not any(request.method == "POST" and "dagRuns" in request.path for request in requests)


def test_a_batch_of_the_day_is_followed_though_ingestion_is_paused(airflow):
    airflow.dags[INGESTION_DAG]["is_paused"] = True
    expected = airflow.add(INGESTION_DAG, "success", KEY, hours_ago=2)
    assert triggered(airflow) == (expected, 0)


@pytest.mark.parametrize("name", ["maintenance", "my_own"])
def test_a_broken_dag_of_somebody_else_does_not_matter(airflow, name):
    airflow.import_errors = [{"filename": f"dags/{name}.py", "stack_trace": "...\nValueError: no"}]
    with serving(airflow) as (api, _):
        remarks = wait_for_airflow(api)
    assert remarks == [f"not of the pipeline, but broken: dags/{name}.py: ValueError: no"]


@pytest.mark.parametrize("state", ["running", "queued"])
def test_an_active_run_is_followed(airflow, state):
    expected = airflow.add(INGESTION_DAG, state, KEY, hours_ago=100)
    airflow.add(INGESTION_DAG, "success", KEY, hours_ago=1)
    assert triggered(airflow) == (expected, 0)


def test_the_success_of_the_present_day_is_followed(airflow):
    airflow.add(INGESTION_DAG, "success", KEY, hours_ago=18)
    expected = airflow.add(INGESTION_DAG, "success", KEY, hours_ago=2)
    assert triggered(airflow) == (expected, 0)


@pytest.mark.parametrize(("run_type", "said"), [("scheduled", 1), ("manual", 0)])
def test_a_batch_of_the_schedule_is_said_to_be_one(airflow, monkeypatch, capsys, run_type, said):
    airflow.add(INGESTION_DAG, "running", KEY)["run_type"] = run_type
    airflow.add("rankalpha_grading", "success", KEY)
    with serving(airflow) as (api, _):
        monkeypatch.setattr(startup, "admin_api", lambda: api)
        monkeypatch.setattr(startup, "show_grades", lambda *_: None)  # of a service that is not here
        assert startup.run_batch() == 0
    shown = capsys.readouterr().out
    assert shown.count(f"Airflow has started batch {KEY}, which was due by the schedule.") == said
    assert shown.count("Following batch") == 1


@pytest.mark.parametrize(("older", "status"), [("success", 0), ("failed", 1)])
def test_after_an_older_batch_that_is_under_way_the_present_days_is_followed(
    airflow, monkeypatch, capsys, older, status
):
    """As after downtime: Airflow starts the first batch that was due meanwhile, and then the newest one."""
    first = airflow.add(INGESTION_DAG, "running", KEY, hours_ago=100)
    looks = []

    def look() -> None:
        looks.append(None)
        if len(looks) == 2:
            first["state"] = older
            airflow.add("rankalpha_grading", "success", KEY)
            airflow.add(INGESTION_DAG, "success", NEWEST)
            airflow.add("rankalpha_grading", "success", NEWEST)

    airflow.on_look = look
    with serving(airflow) as (api, requests):
        monkeypatch.setattr(startup, "admin_api", lambda: api)
        monkeypatch.setattr(startup, "pipelines", lambda: (airflow.pipeline,))
        monkeypatch.setattr(startup, "show_grades", lambda _url, batch: print(f"Grades of {batch}"))
        monkeypatch.setattr("rankalpha.commands.progress.POLL_SECONDS", 0.01)
        assert startup.run_batch() == status
    shown = capsys.readouterr().out
    assert shown.index(f"Following batch {KEY}") < shown.index(f"Following batch {NEWEST}")
    assert (f"Grades of {NEWEST}" in shown) == (status == 0)
    assert not any(request.method == "POST" and "dagRuns" in request.path for request in requests)


@pytest.mark.parametrize(("state", "hours_ago"), [("failed", 2), ("success", 20), ("success", 100)])
def test_otherwise_a_new_batch_is_started(airflow, state, hours_ago):
    """The next run is due in 5 hours, so that the present day began 19 hours ago."""
    airflow.add(INGESTION_DAG, state, KEY, hours_ago)
    run, made = triggered(airflow)
    assert made == 1
    assert abs(datetime.now(UTC) - parse_key(run["partition_key"])) < timedelta(seconds=5)
    assert run["logical_date"] is None
    assert run["note"] == "start-up trigger"


def test_a_trial_is_no_batch_of_the_day(airflow):
    """It runs, or was left by a command that was killed, and is due later, see `airflow_fixes/trials.py`."""
    airflow.add(INGESTION_DAG, "running", None, hours_ago=-24)["dag_run_id"] = f"{TRIAL}2026-11-30"
    assert triggered(airflow)[1] == 1


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


def test_a_day_has_one_startup_run_until_it_has_failed(airflow):
    day = f"{airflow.due - timedelta(days=1):%Y-%m-%d}"
    first, _ = triggered(airflow)
    assert first["dag_run_id"] == f"startup__{day}"
    assert triggered(airflow) == (first, 0)
    airflow.runs[INGESTION_DAG][-1]["state"] = "failed"
    assert triggered(airflow)[0]["dag_run_id"] == f"startup__{day}__2"


def test_two_triggers_at_the_same_instant_start_one_batch(airflow):
    """Both see no run; the one whose request comes second follows the run of the first."""
    both_have_looked = threading.Barrier(2)

    def route(request, parts):
        if request.method == "POST" and parts[-1] == "dagRuns":
            both_have_looked.wait(timeout=10)
        return FakeAirflow._route(airflow, request, parts)

    airflow._route = route
    with serving(airflow) as (api, requests), ThreadPoolExecutor(2) as pool:
        clients = [api, AirflowApi(api.url, "rankalpha", "sesame")]
        runs = list(pool.map(lambda one: trigger_dag(one, airflow.pipeline), clients))
    assert len({run["dag_run_id"] for run in runs}) == len(airflow.runs[INGESTION_DAG]) == 1
    assert sum(request.method == "POST" and "dagRuns" in request.path for request in requests) == 2


def test_an_airflow_that_restarts_while_the_batch_is_started_is_asked_again(airflow, monkeypatch):
    monkeypatch.setattr(readiness, "READY_SECONDS", 10)
    airflow.trouble = [(503, "starting"), (502, "<html>proxy</html>"), (200, "not yet")]
    assert triggered(airflow)[1] == 1


def test_an_answer_that_got_lost_starts_no_second_batch(airflow, monkeypatch):
    monkeypatch.setattr(readiness, "READY_SECONDS", 10)
    lost = []

    def route(request, parts):
        answer = FakeAirflow._route(airflow, request, parts)
        if request.method == "POST" and parts[-1] == "dagRuns" and not lost:
            lost.append(answer)
            return 502, "gone"
        return answer

    airflow._route = route
    run, asked = triggered(airflow)
    assert (len(lost), asked, len(airflow.runs[INGESTION_DAG])) == (1, 1, 1)
    assert run == airflow.runs[INGESTION_DAG][0]


def test_a_token_that_expires_is_renewed(airflow):
    with serving(airflow) as (api, _):
        wait_for_airflow(api)
        airflow.token = "token-2"
        assert trigger_dag(api, airflow.pipeline)["state"] == "queued"
