"""What needs a person: one incident for one cause, and none for what resolves itself."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rankalpha.alerts.incident import Incident, Urgency
from rankalpha.alerts.sent import SentAlert
from rankalpha.health.diagnosis import all_incidents, incidents
from rankalpha.health.snapshot import Snapshot
from rankalpha.health.standing import FRONTEND, Batch, Standing
from rankalpha.pipeline.market import Market
from rankalpha.pipeline.pipelines import DEFAULT_PIPELINE, STEPS, Pipeline

NOW = datetime(2026, 11, 22, 7, tzinfo=UTC)
DUE = datetime(2026, 11, 22, 6, tzinfo=UTC)
KEY = "2026-11-22T06:00:00"
WELL = Snapshot(
    pipeline=DEFAULT_PIPELINE,
    now=NOW,
    batches=[],
    paused=[],
    due=DUE,
    started=DUE,
    up=DUE - timedelta(days=1),
    heartbeats=dict.fromkeys(("scheduler", "triggerer", "dag_processor"), NOW),
)


def batch(key=KEY, begun=DUE, **steps):
    """A batch that is done but for some steps."""
    known = {step.name: step.optional for step in STEPS} | {FRONTEND: False}
    states = dict.fromkeys(known, "done") | steps
    return Batch(
        key,
        begun,
        {name: Standing(state, DUE, "r", optional=known[name]) for name, state in states.items()},
    )


def subjects(snapshot):
    return [one.subject for one in incidents(snapshot)]


def test_all_is_well():
    assert subjects(replace(WELL, batches=[batch()])) == []


@pytest.mark.parametrize(
    ("step", "subject", "urgency"),
    [
        ("ingestion", f"rankalpha_ingestion failed for batch {KEY}", Urgency.ACT_NOW),
        ("grading", f"rankalpha_grading failed for batch {KEY}", Urgency.ACT_NOW),
        ("evaluation", f"rankalpha_evaluation failed for batch {KEY}", Urgency.LOOK_TODAY),
        (FRONTEND, f"rankalpha_grading did not notify the frontend of batch {KEY}", Urgency.LOOK_TODAY),
    ],
)
def test_a_failed_step_is_reported_and_not_that_its_batch_is_late(step, subject, urgency):
    (one,) = incidents(replace(WELL, batches=[batch(**{step: "failed"})]))
    assert (one.subject, one.urgency) == (subject, urgency)
    assert "Run: r\nNext: " in one.text


ROWS = {"name": "rows", "value": 0, "expected": "at least 1", "severity": "block", "passed": False}


def test_what_is_blocked_names_the_checks_and_how_to_publish_it_anyway():
    found = batch(scoring="blocked", grading="waiting", frontend="waiting")
    held = replace(found.steps["scoring"], held={"batch": KEY, "checks": [ROWS]})
    (one,) = incidents(replace(WELL, batches=[replace(found, steps={**found.steps, "scoring": held})]))
    assert one.subject == f"batch {KEY} is blocked in scores by its contract"
    assert "Checks: Rows is 0; expected at least 1.\n" in one.text
    assert f"publish-anyway --batch {KEY} --dataset scores" in one.text
    assert "clear the stage's task" in one.text


def stray(key=None, state="failed", minutes=60):
    queued = (NOW - timedelta(minutes=minutes)).isoformat()
    made = {"dag_id": "rankalpha_scoring", "dag_run_id": "r", "partition_key": key}
    return {**made, "state": state, "queued_at": queued}


@pytest.mark.parametrize(("minutes", "late"), [(33, True), (29, False)])
def test_a_run_without_a_key_is_late_for_as_long_as_it_hangs(minutes, late):
    """As its deadline alerts it; otherwise the watchdog would take the alert for resolved."""
    found = incidents(replace(WELL, strays=[stray(state="running", minutes=minutes)]))
    assert [one.key for one in found] == ["late rankalpha_scoring r"] * late
    assert not late or "(run r; batch not known yet)" in found[0].subject


def test_a_run_that_waits_for_a_pause_is_not_late():
    waiting = [stray(state="queued")]
    assert subjects(replace(WELL, strays=waiting, paused=["rankalpha_scoring"])) == []


@pytest.mark.parametrize(
    ("key", "subject"),
    [
        (None, "rankalpha_scoring failed (run r; batch not known)"),
        ("2026-11-22T06:00:01", "rankalpha_scoring failed: there is no batch '2026-11-22T06:00:01' for it"),
    ],
)
def test_a_failed_run_of_no_batch_is_reported_and_holds_no_batch_back(key, subject):
    (one,) = incidents(replace(WELL, batches=[batch()], strays=[stray(key)]))
    assert (one.subject, one.urgency, one.batch) == (subject, Urgency.LOOK_TODAY, "")
    assert (one.key, one.market) == ("failed rankalpha_scoring r", "default")
    assert "trigger rankalpha_scoring again" in one.text


def test_who_pauses_the_evaluation_does_without_it():
    assert subjects(replace(WELL, batches=[batch(evaluation="paused")])) == []
    late = batch(begun=DUE - timedelta(hours=2), evaluation="paused", grading="lost", frontend="waiting")
    (one,) = incidents(replace(WELL, batches=[late]))
    assert "was not graded within" in one.subject


def test_an_evaluation_that_failed_explains_no_batch_that_is_late():
    """It was of the grades before; the batch was ingested again, and its grading was lost."""
    late = batch(begun=DUE - timedelta(hours=2), grading="lost", evaluation="failed")
    found = incidents(replace(WELL, batches=[late]))
    assert [one.urgency for one in found] == [Urgency.ACT_NOW, Urgency.LOOK_TODAY]
    assert "was not graded within" in found[0].subject
    assert "rankalpha_evaluation failed" in found[1].subject


def test_a_paused_dag_is_reported_once_for_all_batches():
    waiting = [batch(scoring="paused", grading="waiting"), batch("2026-11-21T06:00:00", scoring="paused")]
    (one,) = incidents(replace(WELL, batches=waiting))
    assert one.subject == "rankalpha_scoring is paused; 2 batches are waiting"
    assert one.text.startswith(f"Waiting: {KEY}, 2026-11-21T06:00:00.\nNext: Unpause rankalpha_scoring")


def test_a_batch_is_late_after_its_deadline(monkeypatch):
    late = batch(sentiment="running", grading="waiting", frontend="waiting")
    (one,) = incidents(replace(WELL, batches=[late]))
    assert one.subject == f"batch {KEY} was not graded within 45 minutes"
    assert "Where it is: sentiment running since 06:00." in one.text
    assert subjects(replace(WELL, batches=[replace(late, begun=NOW - timedelta(minutes=44))])) == []


@pytest.mark.parametrize("state", ["superseded", "unpublished"])
def test_a_batch_that_was_left_out_on_purpose_is_not_late(state):
    left_out = batch(scoring=state, grading="waiting", frontend="waiting")
    assert subjects(replace(WELL, batches=[left_out])) == []


def test_a_day_without_a_batch_is_reported_after_a_quarter_of_an_hour():
    none = replace(WELL, started=DUE - timedelta(days=1))
    assert subjects(none) == ["no batch since 2026-11-22 06:00 UTC"]
    assert subjects(replace(none, started=None)) == ["no batch since 2026-11-22 06:00 UTC"]
    assert subjects(replace(none, now=DUE + timedelta(minutes=15), heartbeats={})) == []


def test_a_stack_that_was_started_only_just_now_is_given_its_time():
    none = replace(WELL, started=None)
    assert subjects(replace(none, up=NOW - timedelta(minutes=14))) == []
    assert subjects(replace(none, up=NOW - timedelta(minutes=16))) == ["no batch since 2026-11-22 06:00 UTC"]


def test_a_paused_ingestion_is_the_reason():
    (one,) = incidents(replace(WELL, started=None, paused=["rankalpha_ingestion"]))
    expected = "Cause: rankalpha_ingestion is paused.\nNext: Unpause rankalpha_ingestion in the Airflow UI.\n"
    assert one.text.startswith(expected)


@pytest.mark.parametrize(
    ("beat", "text"),
    [
        (None, "Last heartbeat: never."),
        (NOW - timedelta(minutes=3), "Last heartbeat: 2026-11-22 06:57:00 UTC."),
    ],
)
def test_a_component_without_a_heartbeat_is_reported(beat, text):
    (one,) = incidents(replace(WELL, heartbeats={**WELL.heartbeats, "triggerer": beat}))
    assert one.subject == "Airflow's triggerer sends no heartbeat"
    assert one.text.startswith(text)


def running(minutes, state="running"):
    """A batch whose scoring was queued some minutes ago, and for which all the rest waits."""
    found = batch(scoring=state, grading="waiting", frontend="waiting")
    queued = replace(found.steps["scoring"], queued=NOW - timedelta(minutes=minutes))
    return replace(found, steps={**found.steps, "scoring": queued})


def test_a_run_past_its_deadline_is_reported_and_not_that_its_batch_is_late_too():
    (one,) = incidents(replace(WELL, batches=[running(33)]))
    assert one.subject == f"rankalpha_scoring did not finish within 30 minutes for batch {KEY}"
    assert (one.key, one.urgency, one.batch) == ("late rankalpha_scoring r", Urgency.LOOK_TODAY, KEY)


def test_a_deadline_is_given_time_to_alert_itself():
    young = replace(running(31), begun=NOW - timedelta(minutes=31))
    assert subjects(replace(WELL, batches=[young])) == []
    sent = [SentAlert(Incident("late rankalpha_scoring r", "scoring is late", ""), NOW)]
    (one,) = incidents(replace(WELL, batches=[young], sent=sent))
    assert one.key == sent[0].incident.key


def test_a_run_before_its_deadline_explains_nothing():
    assert subjects(replace(WELL, batches=[running(29)])) == [f"batch {KEY} was not graded within 45 minutes"]


def test_a_run_that_waits_for_a_paused_dag_is_reported_as_that():
    assert subjects(replace(WELL, batches=[running(31, "paused")])) == [
        "rankalpha_scoring is paused; 1 batch is waiting"
    ]


def test_a_channel_that_takes_no_alerts_is_reported():
    unsent = [
        SentAlert(Incident(key, f"{key} broke", ""), NOW, ("Slack",), ("e-mail",)) for key in ("a", "b")
    ]
    (one,) = incidents(replace(WELL, sent=unsent))
    assert one.subject == "2 alerts could not be sent by e-mail"
    assert one.text.startswith("Not sent: a broke; b broke.\nNext: Read the log of rankalpha_watchdog")
    assert "smtp_default" in one.text


NYSE = replace(WELL, pipeline=Pipeline.of(Market(name="nyse")))


def test_incidents_of_another_market_name_it():
    late = batch(sentiment="running", grading="waiting", frontend="waiting")
    found = [
        *incidents(replace(NYSE, batches=[late])),
        *incidents(replace(NYSE, batches=[batch(scoring="failed")])),
        *incidents(replace(NYSE, batches=[batch(scoring="paused")])),
        *incidents(replace(NYSE, started=None)),
    ]
    assert [one.subject for one in found] == [
        f"batch {KEY} of nyse was not graded within 45 minutes",
        f"rankalpha_nyse_scoring failed for batch {KEY}",
        "rankalpha_nyse_scoring is paused; 1 batch is waiting",
        "no batch of nyse since 2026-11-22 06:00 UTC",
    ]
    assert {one.market for one in found} == {"nyse"}
    assert found[-1].text.startswith(
        "Cause: rankalpha_nyse_ingestion has no run since then.\n"
        "Next: Trigger rankalpha_nyse_ingestion in the Airflow UI.\n"
    )


def test_incidents_of_two_markets_are_two_and_what_is_of_none_is_reported_once():
    silent = {"heartbeats": {"scheduler": None}, "started": None}
    found = all_incidents([replace(WELL, **silent), replace(NYSE, **silent)])
    assert [(one.key, one.market) for one in found] == [
        ("component scheduler", ""),
        ("missing 2026-11-22", "default"),
        ("missing nyse 2026-11-22", "nyse"),
    ]
