"""What is stored of an alert: which channels have delivered it, and which have not yet."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rankalpha.airflow_api import AirflowApi, AirflowApiError
from rankalpha.alerts.incident import Incident, Urgency
from rankalpha.alerts.sent import SentAlert, all_sent
from tests.support.http_server import local_server

NOW = datetime(2026, 11, 22, 7, tzinfo=UTC)
ALERT = SentAlert(
    Incident("key", "subject", "text", Urgency.ACT_NOW, "2026-11-22T06:00:00"), NOW, ("Slack",), ("e-mail",)
)


def test_what_is_written_is_read():
    assert SentAlert.read(ALERT.write()) == ALERT


# what the versions before this one have stored, and a running stack still holds when it is upgraded
STORED = {
    "incident": {
        "key": "key",
        "subject": "subject",
        "text": "text",
        "urgency": "ACT NOW",
        "batch": "2026-11-22T06:00:00",
        "market": "nyse",
    },
    "at": "2026-11-22T07:00:00+00:00",
    "told": ["Slack"],
    "unsent": ["e-mail"],
    "sending": True,
    "mending": True,
    "notice": False,
}


def test_what_an_earlier_version_has_stored_is_read():
    read = SentAlert.read(json.dumps(STORED))
    incident = replace(ALERT.incident, market="nyse")
    assert read == replace(ALERT, incident=incident, sending=True, recovering=True)


def test_an_earlier_version_reads_what_is_stored():
    assert json.loads(SentAlert.read(json.dumps(STORED)).write()) == STORED


def test_an_alert_of_before_there_were_markets_is_of_the_default_market():
    stored = {
        **STORED,
        "incident": {key: value for key, value in STORED["incident"].items() if key != "market"},
    }
    assert SentAlert.read(json.dumps(stored)).incident == ALERT.incident


@pytest.mark.parametrize("value", ["overdue 2026-11-22T06:00:00", '{"incident": 1}', "[]", "{}"])
def test_what_somebody_else_has_written_is_a_key(value):
    read = SentAlert.read(value, "what it was")
    assert (read.incident.key, read.incident.subject, read.unsent) == (value, "what it was", ())


def test_what_is_being_sent_is_not_sent_by_another_until_that_one_must_be_dead():
    sending = replace(ALERT, sending=True)
    assert sending.due(NOW + timedelta(minutes=9)) == ()
    assert sending.due(NOW + timedelta(minutes=11)) == ("e-mail",)
    assert ALERT.due(NOW) == ("e-mail",)


def test_a_channel_that_has_taken_it_has_delivered_it():
    assert ALERT.after_sending(()) == replace(ALERT, delivered=("Slack", "e-mail"), unsent=())
    assert ALERT.after_sending(("e-mail",)) == ALERT


@pytest.mark.parametrize(("status", "found"), [(200, [ALERT]), (403, [])])
def test_all_are_listed_to_who_may_see_variables(status, found):
    listed = {"variables": [{"value": ALERT.write(), "description": "subject"}]}
    with local_server(lambda _request: (status, listed)) as (url, requests):
        assert all_sent(AirflowApi(url, "user", "password")) == found
    assert requests[0].query["variable_key_prefix_pattern"] == ["rankalpha_incident_"]


def test_another_refusal_is_an_error():
    with local_server(lambda _request: (422, {})) as (url, _), pytest.raises(AirflowApiError):
        all_sent(AirflowApi(url, "user", "password"))
