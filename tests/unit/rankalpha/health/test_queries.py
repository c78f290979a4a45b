"""What a user with fewer rights may read of the pipelines."""

from datetime import UTC, datetime

import pytest

from rankalpha.airflow_api import AirflowApi, AirflowApiError
from rankalpha.health.queries import left_out as read_left_out
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
