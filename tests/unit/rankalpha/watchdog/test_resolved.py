"""When an incident is resolved, and that it is reported once, in one message for a batch."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rankalpha.airflow_api import AirflowApi
from rankalpha.alerts.incident import Incident, Urgency, failure, lateness
from rankalpha.alerts.sent import SentAlert, recall, remember
from rankalpha.health.snapshot import Snapshot
from rankalpha.health.standing import Batch, Standing
from rankalpha.pipeline.market import Market
from rankalpha.pipeline.pipelines import DEFAULT_PIPELINE, Pipeline
from rankalpha.watchdog import resolved
from tests.support.http_server import local_server

NOW = datetime(2026, 11, 22, 7, tzinfo=UTC)
KEY = "2026-11-22T06:00:00"
FAILED = Incident(failure("rankalpha_scoring", "r"), "scoring failed", "", Urgency.ACT_NOW, KEY)
LATE = Incident(lateness("rankalpha_scoring", "r"), "scoring is late", "", batch=KEY)
PAUSED = Incident("paused rankalpha_scoring", "it is paused", "")


@pytest.fixture
def reports(monkeypatch):
    """What is reported of resolved incidents, as (incident, channels, notice)."""
    messages = []
    monkeypatch.setattr(
        resolved, "alert", lambda incident, to, *, notice: messages.append((incident, to, notice))
    )
    return messages


def close(*incidents, batch_is="done", found=(), answer=(404, {}), elsewhere=(), ago=3600, **more):
    """Do a round with these remembered, sent some seconds ago; return what the API was asked."""
    known = [
        SentAlert(one, NOW - timedelta(seconds=ago), ("Slack",), ("e-mail",), **more) for one in incidents
    ]
    for one in known:
        remember(one)
    batches = [Batch(KEY, NOW, {"scoring": Standing(batch_is)})] if batch_is else []
    snapshot = Snapshot(DEFAULT_PIPELINE, NOW, batches, [], NOW, NOW, NOW, {}, known)
    # the same key in another market is another batch
    other = replace(snapshot, pipeline=Pipeline.of(Market(name="nyse")), batches=elsewhere)
    with local_server(lambda _request: answer) as (url, requests):
        resolved.close(AirflowApi(url, "user", "password"), [snapshot, other], found)
    return requests


def test_one_message_reports_all_that_is_resolved_of_a_batch(store, reports):
    close(FAILED, LATE)
    ((incident, to, notice),) = reports
    assert incident.subject == "Resolved: scoring failed; scoring is late"
    assert (incident.urgency, to, notice) == (Urgency.NO_ACTION, ("Slack", "e-mail"), True)
    assert f"Batch: {KEY}, now complete" in incident.text
    assert store == {}


def test_a_batch_that_recovers_is_not_resolved_and_alerted_again_when_it_fails_again(store, reports):
    close(FAILED, batch_is="running")
    assert reports == []
    assert recall(FAILED.key).recovering


def test_a_run_without_a_key_that_was_cleared_is_not_resolved_before_it_ends(store, reports):
    """Its batch was graded before, and does not show the run."""
    close(FAILED, answer=(200, {"state": "running"}))
    assert reports == []
    assert recall(FAILED.key).recovering
    close(FAILED, answer=(200, {"state": "success"}))
    assert len(reports) == 1


@pytest.mark.parametrize("batch_is", ["running", "done", None])
def test_what_was_sent_after_the_snapshot_is_left_to_the_next_round(store, reports, batch_is):
    close(FAILED, batch_is=batch_is, ago=-1)
    assert reports == []
    assert not recall(FAILED.key).recovering


def test_a_run_that_airflow_has_not_ended_yet_is_not_taken_for_one_that_recovers(store, reports):
    close(FAILED, batch_is="running", ago=1)
    assert reports == []
    assert not recall(FAILED.key).recovering


def test_what_lasts_is_left_alone(store, reports):
    close(FAILED, batch_is="failed", found=[FAILED])
    assert reports == []
    assert not recall(FAILED.key).recovering


def test_a_batch_too_old_to_be_seen_is_forgotten_and_not_called_resolved(store, reports):
    close(FAILED, batch_is=None)
    assert (reports, store) == ([], {})


def test_what_belongs_to_no_batch_is_resolved_when_its_symptom_is_gone(store, reports):
    close(PAUSED)
    assert [incident.subject for incident, _, _ in reports] == ["Resolved: it is paused"]


RED = {"state": "failed", "end_date": (NOW - timedelta(hours=2)).isoformat()}
OLD = {"state": "failed", "end_date": (NOW - timedelta(days=4)).isoformat()}


@pytest.mark.parametrize(
    ("answer", "times", "kept"),
    [
        ((200, {"state": "success"}), 1, 0),
        ((200, {"state": "running"}), 0, 1),
        ((200, {**RED, "dag_runs": []}), 0, 1),
        ((200, {**RED, "dag_runs": [{"state": "success"}]}), 1, 0),  # a later run of the DAG
        ((200, {**OLD, "dag_runs": []}), 0, 0),  # too long ago to be seen: forgotten
        ((404, {}), 0, 0),
    ],
)
def test_a_run_without_a_batch_is_resolved_when_it_or_a_later_run_has_succeeded(
    store, reports, answer, times, kept
):
    request, *_ = close(replace(FAILED, batch=""), answer=answer)
    assert request.path == "/api/v2/dags/rankalpha_scoring/dagRuns/r"
    assert (len(reports), len(store)) == (times, kept)


@pytest.mark.parametrize(("state", "times"), [("success", 1), ("failed", 0)])
def test_a_task_beside_the_pipeline_is_resolved_when_a_later_run_has_succeeded(store, reports, state, times):
    failed = Incident(failure("rankalpha_maintenance", "prune_logs"), "prune_logs failed", "")
    (request,) = close(failed, answer=(200, {"task_instances": [{"state": state}]}))
    assert request.path == "/api/v2/dags/rankalpha_maintenance/dagRuns/~/taskInstances"
    assert request.query["task_id"] == ["prune_logs"]
    assert request.query["order_by"] == ["-end_date"], "one that was killed while it was queued has no start"
    assert len(reports) == times


@pytest.mark.parametrize("incident", [FAILED, PAUSED, replace(FAILED, batch="")], ids=lambda one: one.subject)
def test_what_is_of_a_removed_market_is_forgotten(store, reports, incident):
    assert close(replace(incident, market="removed")) == []
    assert (reports, store) == ([], {})


def test_a_notice_that_waits_to_be_sent_stays(store, reports):
    close(PAUSED, notice=True)
    assert reports == []
    assert recall(PAUSED.key).unsent == ("e-mail",)


def test_a_batch_of_the_same_key_in_another_market_ends_nothing(store, reports):
    graded = Batch(KEY, NOW, {"scoring": Standing("done")})
    close(FAILED, batch_is="running", elsewhere=[graded])
    assert reports == []
    close(replace(FAILED, market="nyse"), batch_is="running", elsewhere=[graded])
    ((incident, _, _),) = reports
    assert f"Batch: {KEY} of nyse, now complete" in incident.text
