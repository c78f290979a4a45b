"""What all components print is JSON, and the lines of a batch are found by its key."""

import json
import re
from pathlib import Path

import pytest
import requests

from tests.support.waiting import wait_for

COMPONENTS = (  # not supervisord.log: the supervisor has one format of its own
    "airflow-api-server",
    "airflow-dag-processor",
    "airflow-scheduler",
    "airflow-triggerer",
    "postgres",
    "rankalpha-api",
    "rankalpha-frontend",
    "start",
)
LAST_WORDS = "--- Supervised process Last chance exception handler ---"
DEFERRED = ("rankalpha_ingestion", "run_ingestion")
STAGES = {
    DEFERRED,
    ("rankalpha_scoring", "run_scorer"),
    ("rankalpha_sentiment", "run_ai_analysis"),
    ("rankalpha_evaluation", "run_evaluation"),
}
TASKS = {
    *STAGES,
    ("rankalpha_grading", "update_grading"),
    ("rankalpha_grading", "show_grades"),
    ("rankalpha_grading", "notify_frontend"),
    ("rankalpha_evaluation", "show_evaluations"),
}
# they run by themselves when another test has run a later batch
PUBLISH = {
    ("rankalpha_ingestion", "publish_prices"),
    ("rankalpha_scoring", "publish_scores"),
    ("rankalpha_sentiment", "publish_sentiment"),
    ("rankalpha_grading", "publish_grades"),
    ("rankalpha_evaluation", "publish_evaluations"),
}


def events(file):
    """The lines of a log as objects, but for one that is just being written.

    Other tests kill the triggerer; what Airflow prints then in the process that it leaves behind is text.
    """
    whole, _, _ = file.read_text().rpartition("\n")
    whole = re.sub(rf"^{re.escape(LAST_WORDS)}.*?(?=^{{|\Z)", "", whole, flags=re.MULTILINE | re.DOTALL)
    return [json.loads(line) for line in whole.splitlines()]


def component(stack, name):
    return events(Path(stack.state, "logs", f"{name}.log"))


def of_batch(lines, key):
    """A batch's lines by DAG and task."""
    found = {}
    for line in lines:
        if line.get("batch") == key:
            assert line["run_id"], line
            found.setdefault((line["dag_id"], line["task_id"]), []).append(line["event"])
    return found


@pytest.fixture(scope="module")
def ingested(lane):
    """A batch that went all the way; its ingestion took so long that it was deferred."""
    key = "2022-08-01T06:00:00"
    with lane.fault("ingestion", "slow"):
        lane.ingest(key)
    return key


@pytest.mark.parametrize("name", COMPONENTS)
def test_each_line_that_a_component_prints_is_an_event(stack, ingested, name):
    found = component(stack, name)
    assert found
    for line in found:
        assert {"timestamp", "level", "event"} <= line.keys(), line


def test_no_log_is_left_out(stack):
    """A component that is added has to be added above, or to say why not."""
    assert {file.stem for file in Path(stack.state, "logs").glob("*.log")} == {*COMPONENTS, "supervisord"}


def test_the_lines_of_a_batch_are_found_by_its_key(stack, ingested):
    found = of_batch(component(stack, "airflow-scheduler"), ingested)
    assert found.keys() - PUBLISH == TASKS
    published = [
        *found["rankalpha_grading", "update_grading"],
        *found.get(("rankalpha_grading", "publish_grades"), ()),
    ]
    assert any(event.startswith(f"Published batch {ingested} in grades") for event in published)


def test_what_a_stage_prints_carries_its_batch(stack, ingested):
    """The triggerer writes it to the log of its task, which is JSON with or without the switch."""
    logs = Path(stack.state, "airflow/logs").rglob("*.trigger.*.log")
    found = of_batch([line for file in logs for line in events(file)], ingested)
    assert {DEFERRED} <= found.keys() <= STAGES  # a busy machine defers a short one too
    assert any("starting" not in event for lines in found.values() for event in lines)


def test_a_run_without_a_key_names_the_batch_that_it_takes(stack, lane, ingested):
    run_id = lane.trigger("scoring")
    lane.settle()
    path = f"dags/rankalpha_scoring/dagRuns/{run_id}/taskInstances/run_scorer/xcomEntries/return_value"
    taken = stack.api.get(path)["value"]["batch"]
    lines = [line for line in component(stack, "airflow-scheduler") if line.get("run_id") == run_id]
    found = of_batch(lines, taken)
    assert found.keys() == {("rankalpha_scoring", "run_scorer")}


def test_an_alert_carries_its_batch(stack, lane):
    key = "2022-08-02T06:00:00"
    with lane.fault("scorer", "bad data"):
        lane.ingest(key)
    found = of_batch(component(stack, "airflow-scheduler"), key)["rankalpha_scoring", "run_scorer"]
    (alert,) = [event for event in found if event.startswith("ALERT RankAlpha ACT NOW: ")]
    assert "rankalpha_scoring failed for batch" in alert


def test_the_reference_api_names_the_batch_that_it_is_asked_for(stack):
    key = "2022-08-03T06:00:00"
    url = f"{stack.urls['api']}/api/v1/grading/refresh"
    assert requests.post(url, json={"batch": key}, timeout=10).status_code == 404
    lines = wait_for(
        "the line", lambda: [line for line in component(stack, "rankalpha-api") if line.get("batch") == key]
    )
    assert lines[0]["event"].startswith("POST /api/v1/grading/refresh 404 ")
