"""What a user with fewer rights may read of the pipelines."""

from datetime import UTC, datetime

import pytest

from rankalpha.airflow_api import AirflowApi, AirflowApiError
from rankalpha.health import queries
from rankalpha.health.queries import left_out as read_left_out
from rankalpha.health.queries import started
from rankalpha.pipeline.batch import TRIAL
from rankalpha.pipeline.pipelines import DEFAULT_PIPELINE
from tests.support.http_server import local_server

ENTRY = {
    "extra": "2026-11-22T06:00:00 by",
    "dag_id": "rankalpha_scoring",
    "when": "2026-11-22T07:00:00+00:00",
}
SINCE = datetime(2026, 11, 20, tzinfo=UTC)


def left_out(status, body):
    with local_server(lambda _: (status, body)) as (url, _):
        return dict(read_left_out(AirflowApi(url, "ann", "sesame"), SINCE))


def test_who_may_read_the_audit_log_sees_what_was_left_out():
    (key,) = left_out(200, {"event_logs": [ENTRY]})
    assert key == "2026-11-22T06:00:00"


def test_who_may_not_read_it_sees_the_rest_all_the_same():
    assert left_out(403, {"detail": "Forbidden"}) == {}


def test_another_refusal_is_not_hidden():
    with pytest.raises(AirflowApiError, match="422"):
        left_out(422, {"detail": "no"})


def test_a_trial_is_no_run_of_a_batch():
    """It is due a day later, so that it would be taken for the newest one."""
    due = {"real": "2026-11-29T06:00:00+00:00", f"{TRIAL}2026-11-29": "2026-11-30T08:00:00+00:00"}
    runs = [
        {"dag_run_id": name, "dag_id": "rankalpha_ingestion", "run_after": at} for name, at in due.items()
    ]
    answer = {"dag_runs": runs, "total_entries": len(runs)}
    with local_server(lambda _: (200, answer)) as (url, _):
        api = AirflowApi(url, "ann", "sesame")
        found = started(api, SINCE, (DEFAULT_PIPELINE,))
        assert found == {"rankalpha_ingestion": datetime.fromisoformat(due["real"])}
        assert [run["dag_run_id"] for run in queries.runs(api, SINCE, (DEFAULT_PIPELINE,))] == ["real"]
