"""The lineage of batches in a running Airflow: what is told of them, and what is refused."""

import json
import sys

import pytest

from rankalpha.batch import BatchError
from rankalpha.lineage import batch_lineage
from rankalpha.monitor import batch_of_run
from rankalpha.pipeline import DEFAULT_PIPELINE
from tests.support.stack import ROOT

KEY = "2021-06-01T06:00:00"


@pytest.fixture(scope="module")
def runs(stack):
    """A batch whose scorer was cleared after it had failed, and whose sentiment was run again by hand."""
    with stack.fault("scorer", "crash"):
        first = stack.trigger("rankalpha_ingestion", KEY)
        stack.settle()
    (failed,) = stack.runs("rankalpha_scoring", partition_key_prefix_pattern=KEY)
    stack.clear("rankalpha_scoring", failed["dag_run_id"], "run_scorer")
    stack.settle()
    again = stack.trigger("rankalpha_sentiment", KEY)
    stack.settle()
    return {"ingestion": first, "sentiment": again}


@pytest.fixture(scope="module")
def steps(stack, runs):
    """The steps of that batch by name."""
    found = batch_lineage(stack.api, KEY, DEFAULT_PIPELINE)
    assert json.loads(json.dumps(found))["batch"] == KEY
    return {step["step"]: step for step in found["steps"]}


def lineage(stack, *arguments):
    command = [sys.executable, str(ROOT / "scripts" / "lineage.py"), *arguments]
    return stack.run("env", f"RANKALPHA_AIRFLOW_URL={stack.urls['airflow']}", *command)


def test_each_step_names_its_runs_and_who_asked_for_them(steps, runs):
    assert list(steps) == ["ingestion", "scoring", "sentiment", "grading"]
    (run,) = steps["ingestion"]["runs"]
    assert (run["run_id"], run["state"], run["run_type"]) == (runs["ingestion"], "success", "manual")
    assert (run["triggered_by"], run["user"]) == ("rest_api", "rankalpha")
    (run,) = steps["scoring"]["runs"]
    assert (run["run_type"], run["triggered_by"], run["user"]) == ("asset_triggered", "asset", None)
    assert [run["run_type"] for run in steps["sentiment"]["runs"]] == ["asset_triggered", "manual"]
    assert len(steps["grading"]["runs"]) == 2


def test_every_try_is_told(steps):
    tries = steps["scoring"]["runs"][0]["tries"]
    scorer = [(one["try_number"], one["state"]) for one in tries if one["task_id"] == "run_scorer"]
    assert scorer == [(1, "failed"), (2, "failed"), (3, "success")]
    assert (tries[-1]["task_id"], tries[-1]["state"]) == ("publish_scores", "success")


def test_inputs_are_the_events_that_were_consumed(stack, steps):
    published = {name: stack.events(name) for name in ("prices", "scores", "sentiment")}
    newest = {
        name: next(e for e in reversed(events) if e["partition_key"] == KEY)
        for name, events in published.items()
    }
    assert steps["ingestion"]["inputs"] == []
    for name, reads in {
        "scoring": ["prices"],
        "sentiment": ["prices"],
        "grading": ["scores", "sentiment"],
    }.items():
        assert steps[name]["inputs"] == [
            {
                "dataset": dataset,
                "batch": KEY,
                "published": newest[dataset]["timestamp"],
                "checksum": newest[dataset]["extra"]["checksum"],
            }
            for dataset in reads
        ]


def test_outputs_hold_what_was_published(steps, runs):
    output = steps["sentiment"]["output"]
    assert output["run_id"] == runs["sentiment"]
    assert (output["dataset"], output["rows"], output["symbols"]) == ("sentiment", 1, 1)
    assert output["as_of"] == KEY[:10]
    assert output["checksum"].startswith("sha256:")
    assert output["forced"] is None


def test_runs_that_were_triggered_without_a_key_are_of_their_batch(stack):
    run_id = stack.trigger("rankalpha_ingestion")
    key = batch_of_run(stack.api.get(f"dags/rankalpha_ingestion/dagRuns/{run_id}"))
    stack.settle()
    again = stack.trigger("rankalpha_scoring")
    stack.settle()
    steps = {step["step"]: step for step in batch_lineage(stack.api, key, DEFAULT_PIPELINE)["steps"]}
    assert [run["run_id"] for run in steps["ingestion"]["runs"]] == [run_id]
    assert steps["scoring"]["runs"][-1]["run_id"] == again == steps["scoring"]["output"]["run_id"]
    assert [one["dataset"] for one in steps["scoring"]["inputs"]] == ["prices"]


def test_a_batch_that_failed_is_told_as_far_as_it_came(stack):
    key = "2021-06-02T06:00:00"
    with stack.fault("ingestion", "bad data"):
        stack.trigger("rankalpha_ingestion", key)
        stack.settle()
    done = lineage(stack, "--batch", key)
    assert done.returncode == 0, done.stdout
    assert "run_ingestion, try 1: failed" in done.stdout
    assert done.stdout.count("writes  nothing yet") == 4


def test_the_script_prints_text_and_json(stack, steps):
    done = lineage(stack, "--batch", KEY)
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith(f"Batch {KEY}\ningestion  (rankalpha_ingestion)\n")
    assert "manual by rest_api (rankalpha)" in done.stdout
    assert f"reads   prices of {KEY}, published " in done.stdout
    assert "1 rows, 1 symbols, as of 2021-06-01, sha256:" in done.stdout
    done = lineage(stack, "--batch", KEY, "--json")
    assert {step["step"]: step for step in json.loads(done.stdout)["steps"]} == steps


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("yesterday", "'yesterday' is no batch key; one looks like"),
        ("", "'' is no batch key"),
        ("2999-01-01T00:00:00", "lies in the future"),
        ("2021-06-03T06:00:00", "batch 2021-06-03T06:00:00 was never ingested; the newest are"),
    ],
)
def test_an_unknown_batch_is_refused(stack, runs, key, message):
    done = lineage(stack, "--batch", key)
    assert done.returncode == 2
    assert message in done.stdout
    with pytest.raises(BatchError):
        batch_lineage(stack.api, key, DEFAULT_PIPELINE)


def test_an_airflow_that_does_not_answer_is_named(stack):
    done = stack.run(
        "env",
        "RANKALPHA_AIRFLOW_URL=http://127.0.0.1:9",
        sys.executable,
        str(ROOT / "scripts/lineage.py"),
        "--batch",
        KEY,
    )
    assert done.returncode == 2
    assert done.stdout.startswith("error: ")
    assert "Traceback" not in done.stdout
