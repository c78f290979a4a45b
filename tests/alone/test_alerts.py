"""Alerts of a running Airflow by a real SMTP server and webhook: what is alerted, how often, and by whom."""

import contextlib
import json
from datetime import timedelta
from html import unescape
from urllib.parse import quote

import pytest

from rankalpha.alerts.sent import all_sent
from tests.support.waiting import wait_for
from tests.support.watching import health_from_outside, watch

DEADLINE = timedelta(minutes=5)  # as in conftest.py


@pytest.fixture
def sent(mailbox, slack):
    """Return what both channels delivered with certain words; each must have delivered the same number."""

    def both(*words, times=1):
        for channel in (mailbox, slack):
            wait_for(f"{times} x {words}", lambda about=channel.about: len(about(*words)) >= times)
            assert len(channel.about(*words)) == times
        return mailbox.about(*words)

    return both


@contextlib.contextmanager
def down(channel):
    """A channel that does not answer for a while."""
    channel.stop()
    try:
        yield
    finally:
        channel.start()


def make_late(database, run_id):
    """Let a run be as if it had been queued a whole deadline earlier, and thus have missed it just now."""
    ours = "dagrun_id = (SELECT id FROM dag_run WHERE run_id = :run)"
    left = (
        f"SELECT deadline_time - queued_at FROM deadline JOIN dag_run ON dag_run.id = dagrun_id WHERE {ours}"
    )
    assert database(left, run=run_id).scalars().all() == [DEADLINE]
    for table, column, which in (
        ("dag_run", "queued_at", "run_id = :run"),
        ("deadline", "deadline_time", ours),
    ):
        query = f"UPDATE {table} SET {column} = {column} - :age WHERE {which}"
        assert database(query, age=DEADLINE, run=run_id).rowcount == 1


def test_a_failure_is_alerted_once_and_its_end_once(stack, lane, sent):
    """By the task; the watchdog knows of it, and reports when the batch is graded after all."""
    key = "2020-03-01T06:00:00"
    with lane.fault("scorer", "bad data"):
        lane.ingest(key)
    (text,) = sent("rankalpha_scoring failed for batch", f"Batch: {key}")
    run_id = lane.run_of("scoring", key)
    assert text.startswith("RankAlpha ACT NOW: ")
    assert "ACT NOW: a batch cannot be graded until someone fixes this." in text
    assert "Last lines:\n  the stage's input is broken" in text.replace("&#x27;", "'")
    address = (
        f"{stack.urls['airflow']}/dags/rankalpha_scoring/runs/{quote(run_id)}/tasks/run_scorer?try_number=1"
    )
    assert f'Log: <a href="{address}">' in text
    assert f'Page: <a href="{stack.urls["airflow"]}/plugin/rankalpha">' in text
    watch(stack)
    sent(f"Batch: {key}")
    lane.clear("scoring", run_id, "run_scorer")
    watch(stack)
    lane.settle()
    watch(stack)
    watch(stack)
    (resolved,) = sent("Resolved: rankalpha_scoring failed for batch", key)
    assert resolved.startswith("RankAlpha NO ACTION: ")
    (graded,) = sent(f"batch {key} is graded", "prices as of 2020-03-01")
    assert "Stocks: 1" in graded


def test_a_blocked_publication_says_which_check_and_how_to_publish_anyway(stack, lane, sent):
    key = "2020-03-02T06:00:00"
    with lane.fault("ingestion", "no rows"):
        lane.ingest(key)
    (text,) = sent(f"batch {key} is blocked in prices by its contract", f"Batch: {key}")
    assert text.startswith("RankAlpha ACT NOW: ")
    assert f"batch {key} is not published in prices: Rows is 0" in text
    watch(stack)
    sent(f"Batch: {key}")
    line = next(line.strip() for line in unescape(text).splitlines() if "publish-anyway" in line)
    assert line.startswith("make publish-anyway RANKALPHA_"), "the stack's own ports"
    done = stack.run("sh", "-c", line)
    assert (done.returncode, f"Batch {key} is" in done.stdout) == (0, True), done.stdout
    lane.settle()
    assert lane.events("prices")[-1]["extra"]["forced"]["reason"] == "why it is right"


def test_a_stage_that_prints_long_lines_is_alerted_by_both_channels(stack, lane, sent):
    key = "2020-03-07T06:00:00"
    with lane.fault("scorer", "long lines"):
        lane.ingest(key)
    (text,) = sent("rankalpha_scoring failed for batch", f"Batch: {key}")
    assert "exited with 65." in text
    assert "characters are left out" in text
    assert max(len(json.dumps(one.write())) for one in all_sent(stack.api)) < 20_000
    run_id = lane.run_of("scoring", key)
    watch(stack)
    sent(f"Batch: {key}")
    lane.clear("scoring", run_id, "run_scorer")
    lane.settle()
    watch(stack)


def test_a_run_that_never_ran_has_no_duration(stack, lane):
    """A queued run that a person has marked as a success, before one that ran."""
    key = "2020-03-08T06:00:00"
    lane.ingest(key)
    with lane.paused("scoring"):
        run_id = lane.trigger("scoring", key)
        run = stack.api.patch(f"dags/{lane.dag('scoring')}/dagRuns/{run_id}", {"state": "success"})
    assert run["duration"] is None
    lane.ingest(key)
    seen, _ = health_from_outside(stack)
    assert [one["seconds"] > 0 for one in seen["durations"] if one["step"] == "scoring"] == [True]


def test_a_run_that_hangs_is_alerted_at_its_deadline_then_that_it_failed_and_one_end_of_both(
    stack, lane, database, mailbox, sent
):
    """Five minutes after it was queued, which are made to be over; the last attempt meets its time limit."""
    key = "2020-03-03T06:00:00"
    late = f"rankalpha_scoring did not finish within 5 minutes for batch {key}"
    with lane.fault("scorer", "crash then hang"):
        lane.trigger("ingestion", key)
        wait_for("the stage's first attempt", lambda: lane.journal("scorer", key))
        run_id = lane.run_of("scoring", key)
        make_late(database, run_id)
        wait_for("the alert at the deadline", lambda: mailbox.about(late))
        watch(stack)
        assert lane.tasks("scoring", run_id)["run_scorer"]["state"] != "failed", "the watchdog saw it late"
        lane.settle()
    (text,) = sent(late)
    assert text.startswith("RankAlpha LOOK TODAY: ")
    (failed,) = sent("rankalpha_scoring failed for batch", f"Batch: {key}")
    assert "was stopped at its time limit of 0:00:30" in failed
    assert len(lane.journal("scorer", key)) == 2
    lane.clear("scoring", run_id, "run_scorer")
    lane.settle()
    watch(stack)
    (resolved,) = sent("NO ACTION: Resolved: ", key)
    assert late in resolved
    assert "rankalpha_scoring failed for batch" in resolved


def test_what_a_person_has_marked_as_failed_asks_for_no_action(stack, lane, sent):
    """No callback of the task runs then: the watchdog alerts, for which the API server starts a round."""
    key = "2020-03-04T06:00:00"
    with lane.fault("ingestion", "hang"):
        run_id = lane.trigger("ingestion", key)
        wait_for("the stage", lambda: lane.journal("ingestion", key))
        wait_for("its log", lambda: " starting" in lane.log("ingestion", run_id, "run_ingestion"))
        lane.mark_failed("ingestion", run_id, "run_ingestion")
        lane.settle()
    watch(stack)
    (text,) = sent("rankalpha_ingestion failed for batch", key)
    assert text.startswith("RankAlpha NO ACTION: ")
    assert "Ended by: rankalpha, who marked it as failed" in text
    assert "Last lines of its log:" in text
    sent(key)


def test_an_alert_waits_for_a_mail_server_that_is_down(stack, lane, mailbox, slack, sent):
    """Slack gets it at once and not again, also that e-mail does not work; e-mail gets it once it works."""
    key = "2020-03-05T06:00:00"
    failure = ("rankalpha_scoring failed for batch", f"Batch: {key}")
    with down(mailbox):
        with lane.fault("scorer", "bad data"):
            lane.ingest(key)
        run_id = lane.run_of("scoring", key)
        assert lane.tasks("scoring", run_id)["run_scorer"]["state"] == "failed"
        watch(stack)
        (report,) = slack.about("could not be sent by e-mail")
        assert "rankalpha_scoring failed for batch" in report
        shown, status = health_from_outside(stack)
        assert "alert could not be sent by e-mail" in str(shown["incidents"])
        assert status == 1
    assert mailbox.about(*failure) == []
    watch(stack)
    watch(stack)
    (text,) = sent(*failure)
    assert "Delayed: this alert was raised at " in text
    assert len(slack.about("Resolved: ", "could not be sent by e-mail")) == 1
    assert mailbox.about("could not be sent by e-mail") == []


def test_no_secret_of_a_channel_is_sent_or_logged(stack, lane, mailbox, slack, sent):
    """The address of Slack's webhook, which the error of a request quotes when Slack does not answer."""
    key, secret = "2020-03-06T06:00:00", "sesame-webhook"
    failure = ("rankalpha_scoring failed for batch", f"Batch: {key}")
    assert secret in slack.connection
    with down(slack):
        with lane.fault("scorer", "bad data"):
            lane.ingest(key)
        watch(stack)
        (report,) = mailbox.about("could not be sent by Slack")
        assert "rankalpha_scoring failed for batch" in report
    watch(stack)
    sent(*failure)
    assert secret not in "".join([*mailbox.about(), *slack.about()])
    logs = {path: path.read_text(errors="replace") for path in stack.state.rglob("*.log")}
    assert any("could not be sent by Slack" in text for text in logs.values())
    assert [path for path, text in logs.items() if secret in text] == []
