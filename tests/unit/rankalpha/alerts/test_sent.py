"""What is stored of an alert: which channels have delivered it, and which have not yet."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rankalpha.airflow_api import AirflowApi, AirflowApiError
from rankalpha.alerts.incident import Incident, Urgency
from rankalpha.alerts.sent import SentAlert, all_sent, forget, move_variables, recall, remember
from tests.support.http_server import local_server

NOW = datetime(2026, 11, 22, 7, tzinfo=UTC)
ALERT = SentAlert(
    Incident("key", "subject", "text", Urgency.ACT_NOW, "2026-11-22T06:00:00"), NOW, ("Slack",), ("e-mail",)
)


def test_what_is_written_is_read():
    written = ALERT.write()
    assert SentAlert.read(written, "key") == ALERT
    assert json.loads(json.dumps(written)) == written, "Airflow stores nothing but JSON"


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
    read = SentAlert.read(STORED, "key")
    incident = replace(ALERT.incident, market="nyse")
    assert read == replace(ALERT, incident=incident, sending=True, recovering=True)


def test_a_channel_that_does_not_exist_is_not_waited_for():
    stored = {**STORED, "told": ["pager", "Slack"], "unsent": ["e-mail", "pager"]}
    read = SentAlert.read(stored, "key")
    assert (read.delivered, read.unsent) == (("Slack",), ("e-mail",))


def test_a_moment_without_a_time_zone_can_be_compared():
    """As a person may write it who edits the entry; a round of the watchdog would fail at it."""
    read = SentAlert.read({**STORED, "at": "2026-11-22T07:00:00"}, "key")
    assert read.due(read.at) == ()
    assert read.at.tzinfo


def test_an_alert_of_before_there_were_markets_is_of_the_default_market():
    stored = {
        **STORED,
        "incident": {key: value for key, value in STORED["incident"].items() if key != "market"},
    }
    assert SentAlert.read(stored, "key").incident == ALERT.incident


@pytest.mark.parametrize("stored", [None, "overdue", 7, [], {}, {"incident": 1}])
def test_what_somebody_else_has_written_is_a_key(stored):
    read = SentAlert.read(stored, "overdue", "what it was")
    assert (read.incident.key, read.incident.subject, read.unsent) == ("overdue", "what it was", ())


def test_what_is_being_sent_is_not_sent_by_another_until_that_one_must_be_dead():
    sending = replace(ALERT, sending=True)
    assert sending.due(NOW + timedelta(minutes=9)) == ()
    assert sending.due(NOW + timedelta(minutes=11)) == ("e-mail",)
    assert ALERT.due(NOW) == ("e-mail",)


def test_a_channel_that_has_taken_it_has_delivered_it():
    assert ALERT.after_sending(()) == replace(ALERT, delivered=("Slack", "e-mail"), unsent=())
    assert ALERT.after_sending(("e-mail",)) == ALERT


ASSETS = [{"id": 6, "name": "nyse_incidents"}, {"id": 7, "name": "incidents"}]


def airflow(variables=(), assets=ASSETS, entries=()):
    """What Airflow's API answers, by the end of the path."""
    listed = {"assets": assets, "state-store": entries, "variables": variables}
    names = {"state-store": "asset_state_store"}

    def answer(request):
        last = request.path.rsplit("/", 1)[-1]
        return 200, {names.get(last, last): listed.get(last)}

    return local_server(answer)


def test_all_are_listed_of_the_asset_that_holds_them():
    with airflow(entries=[{"key": "key", "value": ALERT.write()}]) as (url, requests):
        assert all_sent(AirflowApi(url, "user", "password")) == [ALERT]
    assert requests[-1].path == "/api/v2/assets/7/state-store"


def test_before_the_watchdog_was_parsed_there_are_none():
    with airflow(assets=ASSETS[:1]) as (url, requests):
        assert all_sent(AirflowApi(url, "user", "password")) == []
        assert move_variables(AirflowApi(url, "user", "password")) == 0
    assert len(requests) == 2


def test_a_refusal_is_an_error():
    with local_server(lambda _request: (422, {})) as (url, _), pytest.raises(AirflowApiError):
        all_sent(AirflowApi(url, "user", "password"))


def test_what_an_earlier_version_keeps_in_variables_is_moved(store):
    """Each that is open, once, and none over what is known now."""
    remember(known := replace(ALERT, incident=replace(ALERT.incident, key="known"), recovering=True))
    stored = [STORED, {**STORED, "incident": {**STORED["incident"], "key": "known"}}]
    variables = [
        *({"key": f"rankalpha_incident_{n}", "value": json.dumps(one)} for n, one in enumerate(stored)),
        {"key": "rankalpha_incident_2", "value": "overdue"},
    ]
    listed = [{"description": "what it was", **one} for one in variables]
    with airflow(listed) as (url, requests):
        assert move_variables(AirflowApi(url, "user", "password")) == 3
    assert recall("key") == SentAlert.read(STORED, "key")
    assert recall("known") == known
    assert recall("overdue").incident.subject == "what it was"
    deleted = [request.path for request in requests if request.method == "DELETE"]
    assert deleted == [f"/api/v2/variables/rankalpha_incident_{n}" for n in range(3)]


def test_a_key_that_is_too_long_for_airflow_is_cut(store):
    remember(long := replace(ALERT, incident=replace(ALERT.incident, key="k" * 600)))
    assert [len(key) for key in store] == [512]
    assert recall("k" * 600) == long
    forget(long)
    assert store == {}
