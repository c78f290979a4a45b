"""A batch as it is reported to OpenLineage: every event of a running Airflow, written to a file."""

import json
from hashlib import sha256

import pytest

from rankalpha.pipeline.market import DEFAULT_MARKET
from tests.support.lane import Lane
from tests.support.openlineage import violations
from tests.support.recording_stack import recording_stack
from tests.support.services import RecordingServices
from tests.support.waiting import wait_for

KEY, FAILED = "2021-07-01T06:00:00", "2021-07-02T06:00:00"
BESIDE = ("watchdog", "maintenance")  # both do a run, too
SECRET = "sk-lineage-must-not-tell-31337"
WRITES = {  # what is read and what is written
    "rankalpha_ingestion.run_ingestion": ([], "prices"),
    "rankalpha_scoring.run_scorer": (["prices"], "scores"),
    "rankalpha_sentiment.run_ai_analysis": (["prices"], "sentiment"),
    "rankalpha_grading.update_grading": (["scores", "sentiment"], "grades"),
    "rankalpha_evaluation.run_evaluation": (["grades"], "evaluations"),
}
SHOWS = (
    "rankalpha_grading.show_grades",
    "rankalpha_grading.notify_frontend",
    "rankalpha_evaluation.show_evaluations",
)


@pytest.fixture(scope="module")
def services():
    """The API and frontend of this stack alone."""
    with RecordingServices() as servers:
        yield servers


@pytest.fixture(scope="module")
def events(home, shared, services):
    """The events of a batch that was graded and of one whose scorer found bad data, oldest first.

    From a stack of its own: OpenLineage's listener forks a process for each event of each task, which would
    slow down all other tests of a shared stack.
    """
    file = home / "lineage.jsonl"
    with recording_stack(home / "lineage", shared, services, RANKALPHA_OPENLINEAGE=str(file)) as stack:
        lane = Lane(stack, DEFAULT_MARKET, services)
        with stack.variables(OPENAI_API_KEY=SECRET):
            lane.ingest(KEY)
            with lane.fault("scorer", "bad data"), lane.fault("sentiment", "no rows"):
                lane.ingest(FAILED)
        assert [one["key"] for one in lane.journal("sentiment", KEY)] == [sha256(SECRET.encode()).hexdigest()]
        assert services.calls == [("/api/v1/grading/refresh", KEY), ("/api/refresh-data", KEY)]
        for dag in BESIDE:
            run_id = lane.trigger(dag)
            ended = {"run_id_pattern": run_id, "state": ["success"]}
            wait_for(f"a run of {dag}", lambda dag=dag, ended=ended: lane.runs(dag, **ended))
    return [json.loads(line) for line in file.read_text().splitlines()]


def of_job(events, name, kind, key=KEY):
    """The events of a job's run for a batch."""
    return [
        event
        for event in events
        if (event["job"]["name"], event["eventType"]) == (name, kind)
        and event["run"]["facets"]["airflow"]["dagRun"]["partition_key"] == key
    ]


def datasets(found):
    return [(one["namespace"], one["name"]) for one in found]


def ours(*names):
    return [("rankalpha", name) for name in names]


def test_every_event_is_as_specified(events):
    assert len(events) > 30
    assert {event["job"]["namespace"] for event in events} == {"rankalpha"}
    assert [problem for event in events for problem in violations(event)] == []


@pytest.mark.parametrize("job", [*WRITES, *SHOWS])
def test_each_task_has_begun_and_ended(events, job):
    assert of_job(events, job, "START")
    assert len(of_job(events, job, "COMPLETE")) == 1


@pytest.mark.parametrize("job", SHOWS)
def test_a_call_that_shows_what_is_there_writes_nothing(events, job):
    for kind in ("START", "COMPLETE"):
        event = of_job(events, job, kind)[0]
        assert (event["inputs"], event["outputs"]) == ([], [])


@pytest.mark.parametrize(("job", "reads", "writes"), [(job, *both) for job, both in WRITES.items()])
def test_what_was_read_is_joined_with_what_is_written(events, job, reads, writes):
    start, (event,) = of_job(events, job, "START")[0], of_job(events, job, "COMPLETE")
    assert (datasets(start["inputs"]), start["outputs"]) == (ours(*reads), [])
    assert all(one["facets"]["version"]["datasetVersion"] == KEY for one in event["inputs"])
    assert datasets(event["inputs"])[: len(reads)] == ours(*reads)
    assert datasets(event["inputs"])[len(reads) :] == ours(writes)  # which was checked
    checks = event["inputs"][-1]["inputFacets"]["dataQualityAssertions"]["assertions"]
    assert {"rows", "symbols"} <= {check["name"] for check in checks if check["success"]}
    (output,) = event["outputs"]
    assert datasets([output]) == ours(writes)
    assert output["facets"]["version"]["datasetVersion"] == KEY
    assert output["facets"]["ownership"]["owners"] == [{"name": "rankalpha"}]
    assert output["outputFacets"]["outputStatistics"]["rowCount"] == 1
    tags = {tag["key"]: tag["value"] for tag in output["facets"]["tags"]["tags"]}
    assert (tags["symbols"], tags["as_of"]) == ("1", KEY[:10])
    assert ("checksum" in tags) is (writes != "grades")  # the recording API reports none


def test_a_failed_stage_has_failed_and_nothing_was_written(events):
    (event,) = of_job(events, "rankalpha_scoring.run_scorer", "FAIL", FAILED)
    assert (datasets(event["inputs"]), event["outputs"]) == (ours("prices"), [])
    assert "the stage's input is broken" in event["run"]["facets"]["errorMessage"]["message"]
    assert not [
        one for one in events if "scores" in [out["name"] for out in one["outputs"]] and FAILED in str(one)
    ]


def test_a_blocked_batch_is_reported_with_the_check_that_blocks_it(events):
    (event,) = of_job(events, "rankalpha_sentiment.publish_sentiment", "FAIL", FAILED)
    assert (datasets(event["inputs"]), event["outputs"]) == (ours("prices", "sentiment"), [])
    checks = event["inputs"][1]["inputFacets"]["dataQualityAssertions"]["assertions"]
    (rows,) = [check for check in checks if check["name"] == "rows"]
    assert (rows["success"], rows["severity"], rows["actual"]) == (False, "error", "0")


def test_the_runs_of_dags_are_reported_too(events):
    kinds = {(event["job"]["name"], event["eventType"]) for event in events}
    assert ("rankalpha_scoring", "FAIL") in kinds
    assert {(dag_id, "COMPLETE") for dag_id in ("rankalpha_ingestion", "rankalpha_grading")} <= kinds


def test_neither_secrets_nor_code_nor_what_is_beside_the_pipeline_is_reported(events):
    text = json.dumps(events)
    assert SECRET not in text
    assert not {"sourceCode", "environmentVariables"} & {
        name for event in events for name in event["job"]["facets"]
    }
    assert "environmentVariables" not in text
    jobs = {event["job"]["name"] for event in events}
    assert [name for name in jobs for dag in BESIDE if dag in name] == []
