"""What the watchdog adds to a failure that its task has not alerted."""

from urllib.parse import quote

import pytest

from rankalpha.airflow_api import AirflowApi
from rankalpha.alerts.incident import Incident, Urgency, failure
from rankalpha.watchdog.details import detailed
from tests.support.http_server import local_server

RUN = "asset_triggered__2026-11-22T06:00:00+00:00"
FAILED = Incident(
    failure("rankalpha_scoring", RUN), "rankalpha_scoring failed", "Next: …", Urgency.ACT_NOW, "key"
)
TASK = {
    "task_id": "run_scorer",
    "try_number": 2,
    "map_index": -1,
    "state": "failed",
    "start_date": "2026-11-22T06:01:00Z",
}
LOG = [{"event": "::group::"}, *({"timestamp": "t", "event": f"line {n}"} for n in range(12))]


@pytest.fixture
def airflow():
    """Airflow's API for one failed run; `marked` is what the audit log has of a person."""
    marked = []

    def answer(request):
        match request.path.rsplit("/", 1)[-1]:
            case "taskInstances":
                return 200, {"task_instances": [TASK, TASK | {"task_id": "publish", "state": "success"}]}
            case "2":
                return 200, {"content": LOG}
            case "eventLogs":
                return 200, {"event_logs": marked}
        return 404, {}

    with local_server(answer) as (url, requests):
        yield AirflowApi(url, "user", "password"), marked, requests


def test_a_failure_gets_its_red_task_and_the_last_lines_of_its_log(airflow):
    api, _, requests = airflow
    incident = detailed(api, FAILED)
    assert incident.urgency == Urgency.ACT_NOW
    assert incident.text.splitlines() == [
        "Batch: key",
        "Task: run_scorer, attempt 2",
        "Last lines of its log:",
        *(f"  line {n}" for n in range(4, 12)),
        f"Log: http://localhost:8080/dags/rankalpha_scoring/runs/{quote(RUN)}/tasks/run_scorer?try_number=2",
        "Next: …",
    ]
    asked = next(one.query for one in requests if one.path.endswith("eventLogs"))
    assert (asked["run_id"], asked["after"]) == ([RUN], ["2026-11-22T06:01:00Z"])


@pytest.mark.parametrize(
    ("extra", "urgency"),
    [('{"new_state": "failed"}', Urgency.NO_ACTION), ('{"new_state": "success"}', Urgency.ACT_NOW)],
)
def test_a_failure_by_a_person_names_them_and_asks_for_nothing(airflow, extra, urgency):
    api, marked, _ = airflow
    marked.append({"owner": "ada", "extra": extra})
    incident = detailed(api, FAILED)
    assert incident.urgency == urgency
    assert incident.text.startswith("Ended by: ada, who") == (urgency == Urgency.NO_ACTION)


def test_long_lines_are_cut(airflow, monkeypatch):
    api, _, _ = airflow
    monkeypatch.setitem(LOG[-1], "event", "x" * 65_536)
    (line,) = [line for line in detailed(api, FAILED).text.splitlines() if "xxx" in line]
    assert "characters are left out" in line
    assert len(line) < 600


def test_a_task_that_never_ran_has_no_log_to_quote(airflow, monkeypatch):
    api, _, requests = airflow
    monkeypatch.setitem(TASK, "try_number", 0)
    assert "Task: run_scorer, which never ran\n" in detailed(api, FAILED).text
    assert not any("/logs/" in one.path for one in requests)


def test_any_other_incident_stays_as_it_is(airflow):
    api, _, requests = airflow
    other = Incident("paused rankalpha_scoring", "it is paused", "Next: …")
    assert detailed(api, other) is other
    assert requests == []
