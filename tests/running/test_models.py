"""Models in a running stack: what a person approves scores the batches that are due from then on."""

from datetime import UTC, datetime, timedelta

import pytest

from rankalpha.lineage.batch import batch_lineage
from rankalpha.pipeline.batch import key_of
from tests.support.waiting import wait_for

pytestmark = pytest.mark.story
BEFORE = "2022-03-01T06:00:00"


@pytest.fixture(scope="module", autouse=True)
def scored_by_the_champion(version_api, lane, folder):
    with (folder / "env" / lane.market.name / "scorer.env").open("a") as profile:
        profile.write("SCORER_MODEL=champion\n")
    lane.ingest(BEFORE)


def answered(lane, choice):
    """Train on the newest batch and answer what is asked; return the tasks of the run by their ids."""
    run = lane.trigger("training")
    path = f"dags/{lane.dag('training')}/dagRuns/{run}/taskInstances/approve_model/-1/hitlDetails"
    waits = lambda: lane.tasks("training", run)["approve_model"]["state"] == "awaiting_input"  # noqa: E731
    wait_for("the question", waits)
    lane.api.patch(path, {"chosen_options": [choice], "params_input": {}})
    lane.settle()
    return lane.tasks("training", run)


def ingested_now(lane):
    """Ingest a batch that is due after whatever has happened; return its key, which is to the second."""
    key = key_of(datetime.now(UTC) + timedelta(seconds=1))
    lane.ingest(key)
    return key


def made_from(lane, key):
    """The paths of what the scores of a batch were made from."""
    scores = lane.published("scores", key)[-1]["extra"]
    return {name: read["path"] for name, read in scores["version"]["inputs"].items()}


def test_what_is_rejected_is_published_and_used_nowhere(lane):
    tasks = answered(lane, "Reject")
    assert (tasks["approve_model"]["state"], tasks["name_champion"]["state"]) == ("success", "skipped")
    assert len(lane.published("models", BEFORE)) == 1
    key = ingested_now(lane)
    assert made_from(lane, key).keys() == {"prices"}


def test_what_is_approved_scores_the_batches_that_are_due_from_then_on(lane):
    tasks = answered(lane, "Approve")
    assert tasks["name_champion"]["state"] == "success"
    model = lane.events("models")[-1]
    key = ingested_now(lane)
    assert made_from(lane, key)["models"] == model["extra"]["version"]["path"]
    (scoring,) = [
        step for step in batch_lineage(lane.api, key, lane.pipeline)["steps"] if step["step"] == "scoring"
    ]
    assert [(read["dataset"], read["batch"]) for read in scoring["inputs"]] == [
        (lane.asset("prices"), key),
        (lane.asset("models"), model["partition_key"]),
    ]


def test_a_batch_that_was_due_before_has_no_model_when_it_runs_again(lane):
    lane.ingest(BEFORE)
    assert made_from(lane, BEFORE).keys() == {"prices"}
