"""Which batch each run is for, and what a failed run has left, by the answers of the public API."""

from collections import defaultdict

import pytest

from rankalpha.airflow_api import AirflowApi, AirflowApiError
from rankalpha.health.left import left_by, with_held
from rankalpha.health.run_batches import attributed
from rankalpha.health.standing import Batch, Standing
from rankalpha.pipeline.pipelines import DEFAULT_PIPELINE
from tests.support.http_server import local_server

KEY, OTHER, UNKNOWN = "2026-11-22T06:00:00", "2026-11-20T06:00:00", "2026-11-22T06:00:01"
SCORING, INGESTION, GRADING = (f"rankalpha_{step}" for step in ("scoring", "ingestion", "grading"))
REFUSED = {"batch": KEY, "result": {"rows": 0}, "checks": [{"name": "rows"}], "container": None}
RUN = "manual__2026-11-22T06:00:00+00:00"


def run(dag_id, state="failed", key=None, run_id=RUN, minute=10, run_type="manual", **more):
    moment = f"2026-11-22T06:{minute}:00Z"
    made = {"dag_id": dag_id, "state": state, "partition_key": key, "dag_run_id": run_id}
    made |= {"run_type": run_type, "start_date": moment, "end_date": moment, "run_after": moment}
    return {**made, "logical_date": None, "conf": {}, **more}


class Airflow:
    """The public API of a stack with XComs, events and the state of the publishing task."""

    def __init__(self):
        self.xcoms, self.events, self.task, self.status = {}, [], "failed", 200

    def answer(self, request):
        if self.status != 200:
            return self.status, {"detail": "no"}
        match request.path.split("/"):
            case [*_, "assets", "events"]:
                return 200, {"asset_events": self.events}
            case [*_, "~", "xcomEntries"]:
                listed = [{"task_id": task, "key": key} for task, key in self.xcoms]
                return 200, {"xcom_entries": listed}
            case [*_, task, "xcomEntries", key]:
                return 200, {"value": self.xcoms[task, key]}
            case [*_, "taskInstances", _task]:
                return 200, {"state": self.task}
        return 404, {"detail": "no"}


@pytest.fixture
def airflow():
    """A stack and a client of it, with the requests that it has received."""
    stack = Airflow()
    with local_server(stack.answer) as (url, requests):
        stack.api, stack.requests = AirflowApi.with_token(url, "token"), requests
        yield stack


def events(**published):
    """What was published in these days, by dataset and batch."""
    found = defaultdict(lambda: defaultdict(list))
    for name, keys in published.items():
        for key in keys:
            found[name][key].append({})
    return found


def sorted_out(airflow, *runs, published=None):
    """The batches of the runs that have one, by DAG, and the runs of no batch."""
    found = attributed(airflow.api, runs, published or events(prices=[KEY]), [DEFAULT_PIPELINE])
    by_dag = {dag_id: sorted(by_key) for dag_id, by_key in found.by_batch.items()}
    return by_dag, [one["dag_run_id"] for one in found.strays]


def test_a_failed_run_without_a_key_is_of_the_batch_that_it_has_found(airflow):
    airflow.xcoms["run_scorer", "return_value"] = {"batch": KEY, "result": None, "container": None}
    assert sorted_out(airflow, run(SCORING)) == ({SCORING: [KEY]}, [])
    assert all("+" not in one.path or "%2B" in one.path for one in airflow.requests)


def test_a_failed_run_without_a_key_that_has_found_no_batch_is_of_none(airflow):
    assert sorted_out(airflow, run(SCORING)) == ({}, [RUN])


@pytest.mark.parametrize(("state", "strays"), [("queued", [RUN]), ("running", [RUN]), ("success", [])])
def test_a_run_without_a_key_that_has_not_failed_does_not_say_its_batch_yet(airflow, state, strays):
    assert sorted_out(airflow, run(SCORING, state)) == ({}, strays)
    assert airflow.requests == []


@pytest.mark.parametrize("key", [UNKNOWN, "yesterday", "2999-01-01T00:00:00"])
def test_a_mistyped_key_makes_no_batch(airflow, key):
    assert sorted_out(airflow, run(SCORING, key=key)) == ({}, [RUN])
    assert sorted_out(airflow, run(SCORING, "running", key=key)) == ({}, [RUN])


def test_a_mistyped_key_of_ingestion_makes_no_batch(airflow):
    assert sorted_out(airflow, run(INGESTION, key="yesterday")) == ({}, [RUN])
    assert sorted_out(airflow, run(INGESTION, key=UNKNOWN)) == ({INGESTION: [UNKNOWN]}, [])


def test_a_batch_of_long_ago_that_is_run_again_is_one(airflow):
    airflow.events = [{"name": "prices", "partition_key": OTHER}]
    assert sorted_out(airflow, run(SCORING, key=OTHER)) == ({SCORING: [OTHER]}, [])
    (request,) = airflow.requests
    assert request.query["timestamp_gte"] == [f"{OTHER}+00:00"]


def test_a_batch_counts_for_grading_when_both_halves_are_published(airflow):
    one = run(GRADING, key=KEY)
    assert sorted_out(airflow, one, published=events(scores=[KEY])) == ({}, [RUN])
    both = events(scores=[KEY], sentiment=[KEY])
    assert sorted_out(airflow, one, published=both) == ({GRADING: [KEY]}, [])


def test_the_key_of_a_run_that_datasets_have_started_is_right(airflow):
    one = run(SCORING, key=KEY, run_type="asset_triggered")
    assert sorted_out(airflow, one, published=events()) == ({SCORING: [KEY]}, [])


@pytest.mark.parametrize(("minute", "strays"), [("11", []), ("09", [RUN])])
def test_a_later_success_of_the_dag_is_what_the_failed_run_was_for(airflow, minute, strays):
    well = run(SCORING, "success", KEY, "well", minute, "asset_triggered")
    assert sorted_out(airflow, run(SCORING), well)[1] == strays


def test_a_run_that_never_ran_crashes_nothing(airflow):
    never = {"start_date": None, "end_date": None}
    assert sorted_out(airflow, run(SCORING, **never), run(SCORING, "success", **never))[1] == [RUN]


def standing_after(airflow, **more):
    """The state of scoring in a batch whose run of it has failed, and what is held."""
    failed = Batch(KEY, None, {step.name: Standing("waiting") for step in DEFAULT_PIPELINE.steps})
    failed = Batch(KEY, None, {**failed.steps, "scoring": Standing("failed", run_id=RUN)})
    seen = with_held(airflow.api, failed, DEFAULT_PIPELINE, {SCORING: {KEY: [run(SCORING, key=KEY, **more)]}})
    return seen.steps["scoring"].state, seen.steps["scoring"].held


@pytest.mark.parametrize(("conf", "publishes"), [({}, True), (None, True), ({"publish": False}, False)])
def test_what_the_contract_has_refused_is_blocked_and_not_failed(airflow, conf, publishes):
    airflow.xcoms["publish_scores", "quarantine"] = REFUSED
    state, held = standing_after(airflow, conf=conf)
    assert (state, held["task"], held["publishes"]) == ("blocked", "publish_scores", publishes)
    assert held["checks"] == REFUSED["checks"]


def test_what_an_attempt_before_the_newest_has_refused_is_blocked_no_more(airflow):
    airflow.xcoms["publish_scores", "quarantine"] = REFUSED
    airflow.task = "upstream_failed"
    assert standing_after(airflow) == ("failed", {})


@pytest.mark.parametrize("status", [403, 404])
def test_who_may_not_read_xcoms_sees_that_it_failed(airflow, status):
    airflow.status = status
    assert standing_after(airflow) == ("failed", {})


def test_another_refusal_is_not_hidden(airflow):
    airflow.status = 422
    with pytest.raises(AirflowApiError, match="422"):
        left_by(airflow.api, run(SCORING))
