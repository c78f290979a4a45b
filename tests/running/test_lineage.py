"""The lineage of batches in a running Airflow: what it shows, and what is refused."""

import json

import pytest

from rankalpha.lineage.batch import batch_lineage
from rankalpha.pipeline.batch import BatchError, batch_of_run

KEY = "2021-06-01T06:00:00"


@pytest.fixture(scope="module")
def runs(lane):
    """A batch whose scorer was cleared after it had failed, and whose sentiment was run again by hand."""
    with lane.fault("scorer", "crash"):
        first = lane.ingest(KEY)
    lane.clear("scoring", lane.run_of("scoring", KEY), "run_scorer")
    lane.settle()
    again = lane.trigger("sentiment", KEY)
    lane.settle()
    return {"ingestion": first, "sentiment": again}


@pytest.fixture(scope="module")
def steps(lane, runs):
    """The steps of that batch by name."""
    answer = batch_lineage(lane.api, KEY, lane.pipeline)
    assert json.loads(json.dumps(answer))["batch"] == KEY
    return {step["step"]: step for step in answer["steps"]}


def test_each_step_names_its_runs_and_who_asked_for_them(steps, runs):
    assert list(steps) == ["ingestion", "scoring", "sentiment", "grading", "evaluation"]
    (run,) = steps["ingestion"]["runs"]
    assert (run["run_id"], run["state"], run["run_type"]) == (runs["ingestion"], "success", "manual")
    assert (run["triggered_by"], run["user"]) == ("rest_api", "rankalpha")
    (run,) = steps["scoring"]["runs"]
    assert (run["run_type"], run["triggered_by"], run["user"]) == ("asset_triggered", "asset", None)
    assert [run["run_type"] for run in steps["sentiment"]["runs"]] == ["asset_triggered", "manual"]
    assert len(steps["grading"]["runs"]) == 2


def test_each_attempt_is_shown(steps):
    tries = steps["scoring"]["runs"][0]["tries"]
    scorer = [(one["try_number"], one["state"]) for one in tries if one["task_id"] == "run_scorer"]
    assert scorer == [(1, "failed"), (2, "failed"), (3, "success")]
    assert (tries[-1]["task_id"], tries[-1]["state"]) == ("publish_scores", "success")


def test_inputs_are_the_events_that_were_consumed(lane, steps):
    newest = {dataset: lane.published(dataset, KEY)[-1] for dataset in ("prices", "scores", "sentiment")}
    assert steps["ingestion"]["inputs"] == []
    for name, reads in {
        "scoring": ["prices"],
        "sentiment": ["prices"],
        "grading": ["scores", "sentiment"],
    }.items():
        assert steps[name]["inputs"] == [
            {
                "dataset": lane.asset(dataset),
                "batch": KEY,
                "published": newest[dataset]["timestamp"],
                "checksum": newest[dataset]["extra"]["checksum"],
                "version": None,
            }
            for dataset in reads
        ]


def test_outputs_hold_what_was_published(lane, steps, runs):
    output = steps["sentiment"]["output"]
    assert output["run_id"] == runs["sentiment"]
    assert (output["dataset"], output["rows"], output["symbols"]) == (lane.asset("sentiment"), 1, 1)
    assert output["as_of"] == KEY[:10]
    assert output["checksum"].startswith("sha256:")
    assert output["forced"] is None


def test_runs_that_were_triggered_without_a_key_are_of_their_batch(lane):
    run_id = lane.ingest(None)
    key = batch_of_run(lane.api.get(f"dags/{lane.dag('ingestion')}/dagRuns/{run_id}"))
    again = lane.trigger("scoring")
    lane.settle()
    steps = {step["step"]: step for step in batch_lineage(lane.api, key, lane.pipeline)["steps"]}
    assert [run["run_id"] for run in steps["ingestion"]["runs"]] == [run_id]
    assert steps["scoring"]["runs"][-1]["run_id"] == again == steps["scoring"]["output"]["run_id"]
    assert [one["dataset"] for one in steps["scoring"]["inputs"]] == [lane.asset("prices")]


def test_a_batch_that_failed_is_shown_as_far_as_it_came(lane):
    key = "2021-06-02T06:00:00"
    with lane.fault("ingestion", "bad data"):
        lane.ingest(key)
    done = lane.command("lineage", "--batch", key)
    assert done.returncode == 0, done.stdout
    assert "run_ingestion, attempt 1: failed" in done.stdout
    assert done.stdout.count("writes  nothing yet") == 5


def test_the_script_prints_text_and_json(lane, steps):
    done = lane.command("lineage", "--batch", KEY)
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith(
        f"Batch {KEY}\ningestion → {lane.asset('prices')}  ({lane.dag('ingestion')})\n"
    )
    assert "manual by rest_api (rankalpha)" in done.stdout
    flow = f"{lane.asset('scores')} and {lane.asset('sentiment')} → grading → {lane.asset('grades')}  ("
    assert f"\n{flow}" in done.stdout
    assert f"reads   {lane.asset('prices')} of {KEY}, published " in done.stdout
    assert "1 row, 1 symbol, as of 2021-06-01, sha256:" in done.stdout
    done = lane.command("lineage", "--batch", KEY, "--json")
    assert {step["step"]: step for step in json.loads(done.stdout)["steps"]} == steps


def test_an_unknown_batch_is_refused(lane, runs):
    key = "2021-06-03T06:00:00"
    done = lane.command("lineage", "--batch", key)
    assert done.returncode == 2
    assert f"batch {key} was never ingested; the newest are" in done.stdout
    with pytest.raises(BatchError, match=f"nothing is known of batch {key}"):
        batch_lineage(lane.api, key, lane.pipeline)
