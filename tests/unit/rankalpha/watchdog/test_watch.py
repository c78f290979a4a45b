"""What the watchdog's round repairs, and how it sends what a channel has not taken."""

from datetime import UTC, datetime

import pytest

from rankalpha.airflow_api import AirflowApi
from rankalpha.alerts.incident import Incident
from rankalpha.alerts.sent import SentAlert, recall
from rankalpha.watchdog.watch import repair, send_again
from tests.support.channels import Mailbox, body
from tests.support.http_server import local_server

WAITING = SentAlert(
    Incident("key", "something broke", "Next: Fix it."),
    datetime(2026, 11, 22, 6, 14, tzinfo=UTC),
    ("Slack",),
    ("e-mail",),
)


@pytest.fixture
def mail(monkeypatch):
    """A mail server that is not started yet, and the only channel that is switched on."""
    box = Mailbox()
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", box.connection)
    monkeypatch.setenv("RANKALPHA_ALERT_EMAIL", "duty@example.org")
    return box


def send(*alerts):
    stored = [{"key": alert.incident.key, "value": alert.write()} for alert in alerts]
    answer = {"assets": [{"id": 7, "name": "incidents"}], "asset_state_store": stored}
    with local_server(lambda _request: (200, answer)) as (url, _):
        send_again(AirflowApi(url, "user", "password"))


def test_each_repair_is_a_sentence():
    repaired = {"repaired": [{"batch": "2026-11-22T06:00:00", "dag_id": "rankalpha_grading"}]}
    with local_server(lambda _request: (200, repaired)) as (url, requests):
        assert repair(AirflowApi(url, "user", "password")) == [
            "batch 2026-11-22T06:00:00 had not reached rankalpha_grading; it is running now."
        ]
    assert requests[-1].json() == {"days": 3}


def test_an_alert_that_has_waited_says_when_it_was_raised(mail, store):
    with mail:
        send(WAITING)
    ((_, message),) = mail.messages
    assert "Next: Fix it.\nDelayed: this alert was raised at 06:14 UTC." in body(message)
    sent = recall("key")
    assert (sent.delivered, sent.unsent) == (("Slack", "e-mail"), ())


def test_a_channel_that_is_down_is_used_once_in_a_round(mail, store, caplog):
    other = SentAlert(Incident("other", "more broke", ""), WAITING.at, (), ("e-mail",))
    send(WAITING, other)
    assert caplog.text.count("ALERT could not be sent by e-mail") == 1
    assert store == {}, "what is stored still holds"
