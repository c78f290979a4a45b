"""Alerts of a running Airflow by a real SMTP server and a webhook: what is told, how often, and by whom."""

import contextlib
from urllib.parse import quote

import pytest
from test_failures import journal
from test_watchdog import from_outside, watch

from tests.support.waiting import wait_for

SEND_SECONDS = 30  # a callback runs after the end of its task


@pytest.fixture
def told(mailbox, slack):
    """Return what both channels were told with certain words; each must have been told the same number."""

    def both(*words, times=1):
        for channel in (mailbox, slack):
            wait_for(lambda about=channel.about: len(about(*words)) >= times, seconds=SEND_SECONDS)
            assert len(channel.about(*words)) == times
        return mailbox.about(*words)

    return both


def ingest(stack, key):
    run_id = stack.trigger("rankalpha_ingestion", key)
    stack.settle()
    return run_id


def scoring_of(stack, key):
    (run,) = stack.runs("rankalpha_scoring", partition_key_prefix_pattern=key)
    return run["dag_run_id"]


@contextlib.contextmanager
def down(mailbox):
    mailbox.stop()
    try:
        yield
    finally:
        mailbox.start()


def test_a_failure_is_told_once_and_its_end_once(stack, services, told):
    """By the task; the watchdog knows of it, and tells when the batch is graded after all."""
    key = "2020-03-01T06:00:00"
    with stack.fault("scorer", "bad data"):
        ingest(stack, key)
    (text,) = told("rankalpha_scoring.run_scorer failed", f"Batch: {key}")
    run_id = scoring_of(stack, key)
    assert text.startswith("RankAlpha ACT NOW: ")
    assert "ACT NOW: a batch is not graded, or none can be, until somebody mends this." in text
    assert "Last lines:\n  the stage's input is broken" in text.replace("&#x27;", "'")
    address = (
        f"{stack.urls['airflow']}/dags/rankalpha_scoring/runs/{quote(run_id)}/tasks/run_scorer?try_number=1"
    )
    assert f'Log: <a href="{address}">' in text
    assert f'Page: <a href="{stack.urls["airflow"]}/plugin/rankalpha">' in text
    watch(stack)
    told(f"Batch: {key}")
    stack.clear("rankalpha_scoring", run_id, "run_scorer")
    watch(stack)
    stack.settle()
    watch(stack)
    watch(stack)
    (over,) = told("over: rankalpha_scoring.run_scorer failed", key)
    assert over.startswith("RankAlpha NO ACTION: ")
    (graded,) = told(f"batch {key} is graded", "prices as of 2020-03-01")
    assert "Stocks: 1" in graded


def test_a_blocked_publication_says_which_check_and_how_to_publish_anyway(stack, services, told):
    key = "2020-03-02T06:00:00"
    with stack.fault("ingestion", "no rows"):
        ingest(stack, key)
    (text,) = told("publication blocked in rankalpha_ingestion.publish_prices", f"Batch: {key}")
    assert text.startswith("RankAlpha ACT NOW: ")
    assert f"batch {key} is not published in prices: rows is 0" in text
    assert f"scripts/publish_anyway.py --batch {key} --dataset prices --reason" in text
    watch(stack)
    told(f"Batch: {key}")


def test_a_run_that_hangs_is_told_at_its_deadline_then_that_it_failed_and_one_end_of_both(
    stack, services, mailbox, told
):
    """24 seconds after it was queued; it is ended at its time limit, twice 15 seconds."""
    key = "2020-03-03T06:00:00"
    late = f"rankalpha_scoring was not finished within 0.4 minutes for batch {key}"
    with stack.fault("scorer", "hang"):
        stack.trigger("rankalpha_ingestion", key)
        wait_for(lambda: mailbox.about(late), seconds=90)
        watch(stack)
        stack.settle()
    (text,) = told(late)
    assert text.startswith("RankAlpha LOOK TODAY: ")
    (failed,) = told("rankalpha_scoring.run_scorer failed", f"Batch: {key}")
    assert "was stopped at its time limit of 0:00:15" in failed
    stack.clear("rankalpha_scoring", scoring_of(stack, key), "run_scorer")
    stack.settle()
    watch(stack)
    (over,) = told("NO ACTION: over: ", key)
    assert late in over
    assert "rankalpha_scoring.run_scorer failed" in over


def test_what_a_person_has_marked_as_failed_asks_for_no_action(stack, services, told):
    """No callback of the task runs then: the watchdog tells it, for which the API server starts a round."""
    key = "2020-03-04T06:00:00"
    with stack.fault("ingestion", "hang"):
        run_id = stack.trigger("rankalpha_ingestion", key)
        wait_for(lambda: journal(stack, "ingestion", key), seconds=60)
        wait_for(lambda: " starting" in stack.log("rankalpha_ingestion", run_id, "run_ingestion"))
        stack.mark_failed(f"dags/rankalpha_ingestion/dagRuns/{run_id}/taskInstances/run_ingestion")
        stack.settle()
    watch(stack)
    (text,) = told("rankalpha_ingestion failed for batch", key)
    assert text.startswith("RankAlpha NO ACTION: ")
    assert "Ended by: rankalpha, who has marked it as failed" in text
    assert "Last lines of its log:" in text
    told(key)


def test_an_alert_waits_for_a_mail_server_that_is_down(stack, services, mailbox, slack, told):
    """Slack is told at once and not again, also that e-mail does not work; e-mail once it does."""
    key = "2020-03-05T06:00:00"
    failure = ("rankalpha_scoring.run_scorer failed", f"Batch: {key}")
    with down(mailbox):
        with stack.fault("scorer", "bad data"):
            ingest(stack, key)
        run_id = scoring_of(stack, key)
        assert stack.tasks("rankalpha_scoring", run_id)["run_scorer"]["state"] == "failed"
        watch(stack)
        (report,) = slack.about("could not be sent by e-mail")
        assert "rankalpha_scoring.run_scorer failed" in report
        shown, status = from_outside(stack)
        assert "alert(s) could not be sent by e-mail" in str(shown["incidents"])
        assert status == 1
    assert mailbox.about(*failure) == []
    watch(stack)
    watch(stack)
    (text,) = told(*failure)
    assert "Sent late: it is of " in text
    assert len(slack.about("over: ", "could not be sent by e-mail")) == 1
    assert mailbox.about("could not be sent by e-mail") == []


def test_no_secret_of_a_channel_is_told_or_logged(stack, told):
    logs = [
        path for path in stack.state.rglob("*.log") if "sesame-webhook" in path.read_text(errors="replace")
    ]
    assert logs == []
