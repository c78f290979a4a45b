import email
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email import policy
from types import SimpleNamespace

import pytest
from aiosmtpd.controller import Controller
from airflow.sdk.log import mask_secret
from rankalpha_helpers import KEY, context, local_server

from rankalpha.alerts import AlertNotifier, describe

BROKEN = RuntimeError("stage demo exited with 1. Last lines:\n  <price> & {{ 7 * 7 }}")


class Mailbox:
    """aiosmtpd's handler; keeps each message that the server takes."""

    def __init__(self) -> None:
        self.messages: list[tuple[list[str], email.message.EmailMessage]] = []

    async def handle_DATA(self, _server, _session, envelope) -> str:  # noqa: N802
        message = email.message_from_bytes(envelope.content, policy=policy.default)
        self.messages.append((envelope.rcpt_tos, message))
        return "250 OK"


@contextmanager
def mail_server() -> Iterator[tuple[int, Mailbox]]:
    box = Mailbox()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield port, box
    finally:
        controller.stop()


@pytest.fixture
def mail(monkeypatch):
    """Return a function that switches the e-mail channel on."""

    def switch_on(port: int) -> None:
        extra = {"from_email": "airflow@example.org", "disable_ssl": True, "disable_tls": True, "timeout": 2}
        connection = {"conn_type": "smtp", "host": "127.0.0.1", "port": port, "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(connection))
        monkeypatch.setenv("RANKALPHA_ALERT_EMAIL", "duty@example.org,boss@example.org")

    return switch_on


@pytest.fixture
def slack(monkeypatch):
    """Return a function that switches the Slack channel on."""

    def switch_on(url: str) -> None:
        connection = {"conn_type": "slackwebhook", "password": f"{url}/services/T0/B0/x"}
        monkeypatch.setenv("AIRFLOW_CONN_SLACKWEBHOOK_DEFAULT", json.dumps(connection))

    return switch_on


def failed(exception: Exception | None = BROKEN, key: str | None = KEY):
    return context(key, exception=exception)


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_an_alert_says_what_failed_and_what_to_do():
    subject, text = describe(failed())
    assert subject == "RankAlpha: rankalpha_demo.run_demo failed"
    assert text.splitlines() == [
        f"Batch: {KEY}",
        "Run: manual__1, try 1",
        "Error: stage demo exited with 1. Last lines:",
        "  <price> & {{ 7 * 7 }}",
        "Log: http://airflow/log",
        "Next: read the log, mend the cause, then clear the task; running it again is safe.",
    ]


def test_an_alert_with_less_known():
    ti = SimpleNamespace(dag_id="d", task_id="t", run_id="r", try_number=4)  # as after a lost worker
    _, text = describe(context(None, ti))
    assert "Batch: of this run\n" in text
    assert "Error: see the log\n" in text
    assert "Log: in the Airflow UI\n" in text


def test_an_alert_does_not_give_secrets_away():
    mask_secret("hunter2-in-the-output")
    assert "hunter2" not in describe(failed(RuntimeError("key hunter2-in-the-output refused")))[1]


def test_without_channels_the_log_has_it(caplog):
    AlertNotifier().notify(failed())
    assert "ALERT RankAlpha: rankalpha_demo.run_demo failed" in caplog.text


def test_an_email_is_sent_to_every_receiver(mail):
    with mail_server() as (port, box):
        mail(port)
        AlertNotifier().notify(failed())
    ((receivers, message),) = box.messages
    assert receivers == ["duty@example.org", "boss@example.org"]
    assert message["From"] == "airflow@example.org"
    assert message["Subject"] == "RankAlpha: rankalpha_demo.run_demo failed"
    body = message.get_body(("html",)).get_content().strip()
    assert body.startswith(f"<pre>Batch: {KEY}\nRun: manual__1, try 1\n")
    assert "  &lt;price&gt; &amp; {{ 7 * 7 }}\n" in body  # neither markup nor a template
    assert body.endswith("safe.</pre>")


def test_no_email_without_receivers(mail, monkeypatch):
    with mail_server() as (port, box):
        mail(port)
        monkeypatch.delenv("RANKALPHA_ALERT_EMAIL")
        AlertNotifier().notify(failed())
    assert box.messages == []


def test_slack_is_told(slack):
    with local_server(lambda _request: (200, "ok")) as (url, requests):
        slack(url)
        AlertNotifier().notify(failed())
    (request,) = requests
    assert request.path == "/services/T0/B0/x"
    text = request.json()["text"]
    assert text.startswith(f"RankAlpha: rankalpha_demo.run_demo failed\nBatch: {KEY}\n")


def test_airflow_calls_the_notifier_with_a_context(slack):
    """As `on_failure_callback`, where Airflow renders templates first."""
    with local_server(lambda _request: (200, "ok")) as (url, requests):
        slack(url)
        AlertNotifier()(failed())
    assert "{{ 7 * 7 }}" in requests[0].json()["text"]


def test_a_mail_server_that_is_down_is_logged_and_slack_still_told(mail, slack, caplog):
    mail(closed_port())
    with local_server(lambda _request: (200, "ok")) as (url, requests):
        slack(url)
        AlertNotifier().notify(failed())
    assert len(requests) == 1
    assert "ALERT could not be sent by SmtpNotifier" in caplog.text


def test_slack_that_refuses_is_logged_and_the_email_still_sent(mail, slack, caplog):
    with local_server(lambda _request: (404, "no_team")) as (url, _), mail_server() as (port, box):
        mail(port)
        slack(url)
        AlertNotifier().notify(failed())
    assert len(box.messages) == 1
    assert "ALERT could not be sent by SlackWebhookNotifier" in caplog.text


def test_a_connection_that_makes_no_sense_is_no_channel(slack, monkeypatch):
    monkeypatch.setenv("RANKALPHA_ALERT_EMAIL", "duty@example.org")
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", "{not json")
    with local_server(lambda _request: (200, "ok")) as (url, requests):
        slack(url)
        AlertNotifier().notify(failed())
    assert len(requests) == 1


def test_all_channels_down_never_raises(mail, slack):
    mail(closed_port())
    slack(f"http://127.0.0.1:{closed_port()}")
    AlertNotifier().notify(failed())
