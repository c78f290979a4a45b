"""When an incident is over, and that it is told once, in one message for a batch."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rankalpha.airflow_api import AirflowApi
from rankalpha.alerts.incident import Incident, Urgency, failure, lateness
from rankalpha.alerts.sent import Told, recall, remember
from rankalpha.health.sight import Sight
from rankalpha.health.standing import Batch, Standing
from rankalpha.pipeline.market import Market
from rankalpha.pipeline.pipelines import DEFAULT_PIPELINE, Pipeline
from rankalpha.watchdog import over
from tests.support.http_server import local_server

NOW = datetime(2026, 11, 22, 7, tzinfo=UTC)
KEY = "2026-11-22T06:00:00"
FAILED = Incident(failure("rankalpha_scoring", "r"), "scoring failed", "", Urgency.ACT_NOW, KEY)
LATE = Incident(lateness("rankalpha_scoring", "r"), "scoring is late", "", batch=KEY)
PAUSED = Incident("paused rankalpha_scoring", "it is paused", "")


@pytest.fixture
def said(monkeypatch):
    """What is told of incidents that are over, as (incident, channels)."""
    messages = []
    monkeypatch.setattr(
        over.alerts, "tell", lambda incident, to, *, notice: messages.append((incident, to, notice))
    )
    return messages


def close(*incidents, batch_is="done", found=(), answer=(404, {}), elsewhere=(), ago=3600, **more):
    """Do a round with these remembered, told some seconds ago; return what the API was asked."""
    known = [Told(one, NOW - timedelta(seconds=ago), ("Slack",), ("e-mail",), **more) for one in incidents]
    for one in known:
        remember(one)
    batches = [Batch(KEY, NOW, {"scoring": Standing(batch_is)})] if batch_is else []
    sight = Sight(DEFAULT_PIPELINE, NOW, batches, [], NOW, NOW, NOW, {}, known)
    # the same key in another market is another batch
    other = replace(sight, pipeline=Pipeline.of(Market(name="nyse")), batches=elsewhere)
    with local_server(lambda _request: answer) as (url, requests):
        over.close(AirflowApi(url, "user", "password"), [sight, other], found)
    return requests


def test_one_message_tells_all_that_is_over_of_a_batch(variables, said):
    close(FAILED, LATE)
    ((incident, to, notice),) = said
    assert incident.subject == "over: scoring failed; scoring is late"
    assert (incident.urgency, to, notice) == (Urgency.NO_ACTION, ("Slack", "e-mail"), True)
    assert f"Batch: {KEY}, through now" in incident.text
    assert variables == {}


def test_a_batch_that_is_being_mended_is_not_over_and_told_anew_when_it_fails_again(variables, said):
    close(FAILED, batch_is="running")
    assert said == []
    assert recall(FAILED.key).mending


@pytest.mark.parametrize("batch_is", ["running", "done", None])
def test_what_was_told_after_a_round_had_begun_to_look_is_left_to_the_next(variables, said, batch_is):
    close(FAILED, batch_is=batch_is, ago=-1)
    assert said == []
    assert not recall(FAILED.key).mending


def test_a_run_that_airflow_has_not_ended_yet_is_not_taken_for_one_that_recovers(variables, said):
    close(FAILED, batch_is="running", ago=1)
    assert said == []
    assert not recall(FAILED.key).mending


def test_what_lasts_is_left_alone(variables, said):
    close(FAILED, batch_is="failed", found=[FAILED])
    assert said == []
    assert not recall(FAILED.key).mending


def test_a_batch_too_old_to_be_seen_is_forgotten_and_not_called_over(variables, said):
    close(FAILED, batch_is=None)
    assert (said, variables) == ([], {})


def test_what_belongs_to_no_batch_is_over_when_it_is_seen_no_more(variables, said):
    close(PAUSED)
    assert [incident.subject for incident, _, _ in said] == ["over: it is paused"]


@pytest.mark.parametrize(
    ("answer", "times", "kept"),
    [((200, {"state": "success"}), 1, 0), ((200, {"state": "failed"}), 0, 1), ((404, {}), 0, 0)],
)
def test_a_run_without_a_batch_is_over_when_it_has_succeeded(variables, said, answer, times, kept):
    (request,) = close(replace(FAILED, batch=""), answer=answer)
    assert request.path == "/api/v2/dags/rankalpha_scoring/dagRuns/r"
    assert (len(said), len(variables)) == (times, kept)


@pytest.mark.parametrize(("state", "times"), [("success", 1), ("failed", 0)])
def test_a_task_beside_the_pipeline_is_over_when_a_later_run_has_succeeded(variables, said, state, times):
    failed = Incident(failure("rankalpha_maintenance", "prune_logs"), "prune_logs failed", "")
    (request,) = close(failed, answer=(200, {"task_instances": [{"state": state}]}))
    assert request.path == "/api/v2/dags/rankalpha_maintenance/dagRuns/~/taskInstances"
    assert request.query["task_id"] == ["prune_logs"]
    assert request.query["order_by"] == ["-end_date"], "one that was killed while it was queued has no start"
    assert len(said) == times


def test_a_notice_that_waits_to_be_sent_stays(variables, said):
    close(PAUSED, notice=True)
    assert said == []
    assert recall(PAUSED.key).unsent == ("e-mail",)


def test_a_batch_of_the_same_key_in_another_market_ends_nothing(variables, said):
    graded = Batch(KEY, NOW, {"scoring": Standing("done")})
    close(FAILED, batch_is="running", elsewhere=[graded])
    assert said == []
    close(replace(FAILED, market="nyse"), batch_is="running", elsewhere=[graded])
    ((incident, _, _),) = said
    assert f"Batch: {KEY} of nyse, through now" in incident.text


def test_an_incident_of_before_there_were_markets_is_of_the_default_one(variables, said):
    old = json.loads(Told(FAILED, NOW).write())
    del old["incident"]["market"]
    assert Told.read(json.dumps(old)).incident == FAILED
