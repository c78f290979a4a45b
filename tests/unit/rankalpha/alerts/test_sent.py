"""What is remembered of an incident: who knows, and who does not yet."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rankalpha.airflow_api import AirflowApi, AirflowApiError
from rankalpha.alerts.incident import Incident, Urgency
from rankalpha.alerts.sent import Told, every
from tests.support.http_server import local_server

NOW = datetime(2026, 11, 22, 7, tzinfo=UTC)
ONE = Told(
    Incident("key", "subject", "text", Urgency.ACT_NOW, "2026-11-22T06:00:00"), NOW, ("Slack",), ("e-mail",)
)


def test_what_is_written_is_read():
    assert Told.read(ONE.write()) == ONE


@pytest.mark.parametrize("value", ["overdue 2026-11-22T06:00:00", '{"incident": 1}', "[]", "{}"])
def test_what_somebody_else_has_written_is_a_key(value):
    read = Told.read(value, "what it was")
    assert (read.incident.key, read.incident.subject, read.unsent) == (value, "what it was", ())


def test_what_is_being_sent_is_not_sent_by_another_until_that_one_must_be_dead():
    sending = replace(ONE, sending=True)
    assert sending.to_send(NOW + timedelta(minutes=9)) == ()
    assert sending.to_send(NOW + timedelta(minutes=11)) == ("e-mail",)
    assert ONE.to_send(NOW) == ("e-mail",)


def test_a_channel_that_has_taken_it_is_told():
    assert ONE.sent(()) == replace(ONE, told=("Slack", "e-mail"), unsent=())
    assert ONE.sent(("e-mail",)) == ONE


@pytest.mark.parametrize(("status", "found"), [(200, [ONE]), (403, [])])
def test_all_are_listed_to_who_may_see_variables(status, found):
    listed = {"variables": [{"value": ONE.write(), "description": "subject"}]}
    with local_server(lambda _request: (status, listed)) as (url, requests):
        assert every(AirflowApi(url, "user", "password")) == found
    assert requests[0].query["variable_key_prefix_pattern"] == ["rankalpha_incident_"]


def test_another_refusal_is_an_error():
    with local_server(lambda _request: (422, {})) as (url, _), pytest.raises(AirflowApiError):
        every(AirflowApi(url, "user", "password"))
