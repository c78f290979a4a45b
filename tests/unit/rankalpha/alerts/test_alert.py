"""Who is alerted to an incident, how often, and what becomes of an alert that a channel does not take."""

import asyncio
import json
import socket
from datetime import UTC, date, datetime, timedelta
from html import unescape
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import ErrorType
from airflow.sdk.execution_time import task_runner
from airflow.sdk.execution_time.comms import (
    ErrorResponse,
)
from airflow.sdk.log import mask_secret

from rankalpha.alerts import channels, graded, sent
from rankalpha.alerts.alert import alert
from rankalpha.alerts.deadline import missed
from rankalpha.alerts.graded import report_graded
from rankalpha.alerts.incident import Incident, Urgency, failure, lateness, pause
from rankalpha.alerts.notifier import AlertNotifier, EndedByPerson
from rankalpha.pipeline.sessions import MarketDay
from rankalpha.stages.output import OUTPUT
from tests.support.channels import Mailbox, Webhook, body
from tests.support.http_server import local_server
from tests.unit.rankalpha.support.demo_stage import KEY
from tests.unit.rankalpha.support.task_context import TaskInstance, context

BROKEN = RuntimeError("stage demo exited with 1. Last lines:\n  <price> & {{ 7 * 7 }}")
SUBJECT = f"RankAlpha ACT NOW: rankalpha_scoring failed for batch {KEY}"
INCIDENT = Incident("key", "something broke", "Next: Fix it.", Urgency.LOOK_TODAY)


@pytest.fixture
def mailbox(monkeypatch):
    """The e-mail channel, switched on."""
    with Mailbox() as box:
        switch_on_mail(monkeypatch, box)
        yield box


@pytest.fixture
def slack(monkeypatch):
    """Return a function that switches the Slack channel on."""

    def switch_on(url):
        connection = {"conn_type": "slackwebhook", "password": f"{url}/services/T0/B0/x"}
        monkeypatch.setenv("AIRFLOW_CONN_SLACKWEBHOOK_DEFAULT", json.dumps(connection))

    return switch_on


@pytest.fixture
def no_mail(monkeypatch):
    """The e-mail channel, switched on, with a server that is down."""
    box = Mailbox()
    switch_on_mail(monkeypatch, box)
    return box


def switch_on_mail(monkeypatch, box):
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", box.connection)
    monkeypatch.setenv("AIRFLOW_CONN_SLACKWEBHOOK_DEFAULT", "{no such channel")
    monkeypatch.setenv("RANKALPHA_ALERT_EMAIL", "duty@example.org,boss@example.org")


class Scoring(TaskInstance):
    dag_id = "rankalpha_scoring"


def failed(begun=None, **more):
    ti = Scoring()
    ti.start_date = begun
    return context(KEY, ti, exception=BROKEN, **more)


def subjects(box):
    return [message["Subject"] for _, message in box.messages]


def test_an_email_is_sent_to_every_receiver(mailbox):
    AlertNotifier().notify(failed())
    ((receivers, message),) = mailbox.messages
    assert receivers == ["duty@example.org", "boss@example.org"]
    assert message["From"] == "airflow@example.org"
    assert message["Subject"] == SUBJECT
    text = body(message)
    assert text.startswith("<p><b>ACT NOW: a batch cannot be graded until someone fixes this.</b></p>")
    assert f"<pre>Batch: {KEY}\nRun: manual__1, run_demo, attempt 1\n" in text
    assert "  &lt;price&gt; &amp; {{ 7 * 7 }}\n" in text  # neither markup nor a template
    assert '\nLog: <a href="http://airflow/log">http://airflow/log</a>\n' in text
    assert text.strip().endswith("/plugin/rankalpha</a></pre>")


def test_no_email_without_receivers(mailbox, monkeypatch):
    monkeypatch.delenv("RANKALPHA_ALERT_EMAIL")
    AlertNotifier().notify(failed())
    assert mailbox.messages == []


def test_slack_gets_the_alert(slack):
    with local_server(lambda _request: (200, "ok")) as (url, requests):
        slack(url)
        AlertNotifier().notify(failed())
    (request,) = requests
    assert request.path == "/services/T0/B0/x"
    text = request.json()["text"]
    assert text.startswith(f"*{SUBJECT}*\nACT NOW: ")
    assert "  &lt;price&gt; &amp; {{ 7 * 7 }}\n" in text


def test_airflow_calls_the_notifier_with_a_context(slack):
    """As `on_failure_callback`, where Airflow renders templates first."""
    with local_server(lambda _request: (200, "ok")) as (url, requests):
        slack(url)
        AlertNotifier()(failed())
    assert "{{ 7 * 7 }}" in requests[0].json()["text"]


def test_without_channels_the_log_has_it(caplog):
    AlertNotifier().notify(failed())
    assert f"ALERT {SUBJECT}" in caplog.text


def test_no_channel_gives_secrets_away(mailbox, slack, store, caplog):
    mask_secret("hunter2-in-the-output")
    with local_server(lambda _request: (200, "ok")) as (url, requests):
        slack(url)
        AlertNotifier().notify(failed() | {"exception": RuntimeError("key hunter2-in-the-output refused")})
    given = [body(mailbox.messages[0][1]), requests[0].json()["text"], *map(str, store.values())]
    assert ["key *** refused" in text for text in given] == [True] * 3
    assert "hunter2" not in repr(given) + caplog.text


def test_a_failure_is_alerted_once_whoever_sees_it(mailbox, store, caplog):
    AlertNotifier().notify(failed())
    AlertNotifier().notify(failed())
    assert subjects(mailbox) == [SUBJECT]
    assert f"Still open: rankalpha_scoring failed for batch {KEY}" in caplog.text
    assert sent.recall(failure("rankalpha_scoring", "manual__1")).delivered == ("e-mail",)


def test_a_failure_after_the_task_was_cleared_is_alerted_again(mailbox, store):
    AlertNotifier().notify(failed())
    AlertNotifier().notify(failed(begun=datetime.now(UTC)))
    assert subjects(mailbox) == [SUBJECT] * 2
    sent.remember(sent.recall(failure("rankalpha_scoring", "manual__1")).as_recovering())
    AlertNotifier().notify(failed())
    assert subjects(mailbox) == [SUBJECT] * 3


def test_what_a_person_has_ended_is_left_to_the_watchdog(mailbox, store, caplog):
    AlertNotifier().notify(failed() | {"exception": EndedByPerson("stopped by Airflow")})
    assert mailbox.messages == []
    assert "ALERT" not in caplog.text
    AlertNotifier().notify(failed())
    assert len(mailbox.messages) == 1


def test_a_task_of_the_watchdog_is_alerted_once_for_all_of_its_runs(mailbox, store):
    class Watching(TaskInstance):
        dag_id, task_id = "rankalpha_watchdog", "watch_batches"

    for number in (1, 2):
        ti = Watching()
        ti.run_id, ti.start_date = f"r{number}", datetime.now(UTC) + timedelta(minutes=5 * number)
        AlertNotifier().notify(context(None, ti, exception=BROKEN))
    assert subjects(mailbox) == ["RankAlpha LOOK TODAY: rankalpha_watchdog.watch_batches failed"]


def test_a_mail_server_that_is_down_is_logged_and_remembered_and_slack_still_gets_it(
    no_mail, slack, store, caplog
):
    with local_server(lambda _request: (200, "ok")) as (url, requests):
        slack(url)
        alert(INCIDENT)
    assert len(requests) == 1
    assert "ALERT could not be sent by e-mail" in caplog.text
    kept = sent.recall("key")
    assert (kept.delivered, kept.unsent, kept.sending) == (("Slack",), ("e-mail",), False)
    assert kept.incident == INCIDENT


def test_slack_that_refuses_is_remembered_and_the_email_still_sent(mailbox, slack, store, caplog):
    with local_server(lambda _request: (404, "no_team")) as (url, _):
        slack(url)
        alert(INCIDENT)
    assert len(mailbox.messages) == 1
    assert "ALERT could not be sent by Slack" in caplog.text
    assert sent.recall("key").unsent == ("Slack",)


@pytest.fixture
def webhook(monkeypatch):
    """Slack as a server that refuses what is too long for it, switched on."""
    with Webhook() as hook:
        monkeypatch.setenv("AIRFLOW_CONN_SLACKWEBHOOK_DEFAULT", hook.connection)
        yield hook


LONG = [
    pytest.param("\n  ".join(letter * 300_000 for letter in "abc"), id="three lines of 300 kB"),
    pytest.param("&<>" * 300_000, id="what Slack gets as several characters each"),
    pytest.param("a" * 2_600 + "&" * 300_000 + "b" * 900, id="the same in the middle"),
    pytest.param("\N{CJK UNIFIED IDEOGRAPH-4E00}" * 900_000, id="another alphabet"),
    pytest.param("\N{PILE OF POO}" * 900_000, id="emoji"),
    pytest.param("line\n" * 200_000, id="many lines"),
    pytest.param("a\0b\x1b[31m\ud800c", id="what is no text"),
]


@pytest.mark.parametrize("error", LONG)
def test_whatever_an_error_quotes_its_alert_arrives_and_says_what_to_do(mailbox, webhook, store, error):
    AlertNotifier().notify(failed() | {"exception": RuntimeError(f"it broke: {error}")})
    (text,), ((_, mail),) = webhook.texts, mailbox.messages
    for delivered in (text, body(mail)):
        assert f"Batch: {KEY}\n" in delivered
        assert "Error: it broke: " in delivered
        assert "clear the task" in delivered
        assert "/plugin/rankalpha" in delivered
        assert ("characters are left out" in delivered) == (len(error) > 6_000)
    assert len(mail.as_bytes()) < 100_000
    assert sent.recall(failure("rankalpha_scoring", "manual__1")).delivered == ("e-mail", "Slack")
    assert max(len(str(one)) for one in store.values()) < 100_000


def test_a_secret_is_masked_before_an_error_is_cut(mailbox, webhook, store, caplog):
    mask_secret("sesame" * 100)
    for begin in range(3_500, 4_300, 150):  # wherever the cut is
        AlertNotifier().notify(
            failed(begun=datetime.now(UTC))
            | {"exception": RuntimeError("x" * begin + "sesame" * 100 + "y" * 9_000)}
        )
    assert "sesame" not in caplog.text + repr(
        [webhook.texts, store, [body(one) for _, one in mailbox.messages]]
    )
    assert len(mailbox.messages) == len(range(3_500, 4_300, 150))


def test_a_subject_is_one_short_line(mailbox, webhook, store):
    alert(Incident("key", "batch a\r\nBcc: mallory@example.org " + "b" * 900_000, "text"))
    ((receivers, message),) = mailbox.messages
    assert (receivers, message["Bcc"]) == (["duty@example.org", "boss@example.org"], None)
    assert message["Subject"].startswith("RankAlpha LOOK TODAY: batch a Bcc: mallory@example.org bbb")
    assert len(message["Subject"]) < 250
    assert len(webhook.texts) == 1


def test_what_an_earlier_version_has_kept_is_cut_when_it_is_sent_again(webhook):
    assert channels.send(Incident("key", "s" * 900_000, "t" * 900_000), ("Slack",)) == ()
    assert len(webhook.texts) == 1


def test_a_connection_that_makes_no_sense_is_no_channel(slack, monkeypatch):
    monkeypatch.setenv("RANKALPHA_ALERT_EMAIL", "duty@example.org")
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", "{not json")
    with local_server(lambda _request: (200, "ok")) as (url, requests):
        slack(url)
        alert(INCIDENT)
    assert len(requests) == 1


def test_neither_channels_nor_airflow_that_are_down_raise(no_mail, slack, caplog):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        slack(f"http://127.0.0.1:{probe.getsockname()[1]}")
        AlertNotifier().notify(failed())
    assert "This alert could not be recorded" in caplog.text


def test_an_airflow_that_does_not_say_what_was_sent_does_not_stop_the_alert(mailbox, monkeypatch, caplog):
    denied = SimpleNamespace(send=lambda _message: ErrorResponse(error=ErrorType.PERMISSION_DENIED))
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", denied, raising=False)
    AlertNotifier().notify(failed())
    assert subjects(mailbox) == [SUBJECT]
    assert "does not say whether this alert was sent before" in caplog.text


def late_run(state="running", dag_id="rankalpha_scoring"):
    run = {"dag_id": dag_id, "dag_run_id": "r", "state": state, "partition_key": KEY}
    return {"dag_run": run, "deadline": {"id": "1", "deadline_time": "2025-11-20T06:30:00Z"}}


def test_a_missed_deadline_is_alerted_once(mailbox, store):
    for _ in range(2):
        asyncio.run(missed(context=late_run()))
    assert subjects(mailbox) == [
        f"RankAlpha LOOK TODAY: rankalpha_scoring did not finish within 30 minutes for batch {KEY}"
    ]


@pytest.mark.parametrize("state", ["failed", "success"])
def test_the_deadline_of_a_run_that_has_ended_alerts_nobody(mailbox, store, state):
    asyncio.run(missed(context=late_run(state)))
    assert mailbox.messages == []


@pytest.mark.parametrize("key", [lateness("rankalpha_scoring", "r"), pause("rankalpha_scoring")])
def test_a_deadline_whose_cause_the_watchdog_has_alerted_is_silent(mailbox, store, key):
    sent.remember(sent.SentAlert(Incident(key, "s", "t"), datetime.now(UTC)))
    asyncio.run(missed(context=late_run()))
    assert mailbox.messages == []


RESULT = {"rows": 3, "symbols": 3, "as_of": "2025-11-19", "details": {"B": 2, "A": 1}}


@pytest.mark.parametrize(
    ("result", "text"),
    [(RESULT, "Grades: 1 A, 2 B\nStocks: 3, prices as of 2025-11-19"), (None, "reported no figures")],
)
def test_a_graded_batch_is_reported_by_setting(mailbox, store, monkeypatch, result, text):
    of_batch = context(
        KEY, TaskInstance(batch=KEY, result=result), task=SimpleNamespace(upstream_task_ids={"u"})
    )
    report_graded(of_batch)
    assert mailbox.messages == []
    monkeypatch.setenv("RANKALPHA_TELL_GRADED", "true")
    from rankalpha.settings import settings

    settings.cache_clear()
    report_graded(of_batch)
    assert subjects(mailbox) == [f"RankAlpha NO ACTION: batch {KEY} is graded"]
    assert text in body(mailbox.messages[0][1])
    assert store == {}, "nothing is left to be done about it"


def test_a_graded_batch_names_its_session_and_what_was_carried_over(mailbox, store, monkeypatch):
    monkeypatch.setenv("RANKALPHA_TELL_GRADED", "true")
    day = MarketDay(date(2025, 11, 19), date(2025, 11, 19), 0, datetime(2125, 1, 1, tzinfo=UTC))
    monkeypatch.setattr(graded, "market_day", lambda *_: day)
    output = {"batch": KEY, "result": RESULT, "container": None, "carried_over_from": "2025-11-19T06:00:00"}
    ti = TaskInstance(**{OUTPUT: output})
    report_graded(context(KEY, ti, task=SimpleNamespace(upstream_task_ids={"u"})))
    text = unescape(body(mailbox.messages[0][1]))
    assert "Session: Wednesday's close, 19 Nov" in text
    assert "News: no new session; grades of Wed 19 Nov 06:00 carried over" in text


def test_a_notice_that_could_not_be_sent_is_remembered(no_mail, store):
    alert(INCIDENT, notice=True)
    assert sent.recall("key").unsent == ("e-mail",)
