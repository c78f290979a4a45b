"""Models in a running stack: what a person approves scores the batches that are due from then on."""

from datetime import UTC, datetime, timedelta

import pytest

from rankalpha.commands.past import stored
from rankalpha.lineage.batch import batch_lineage
from rankalpha.pipeline.batch import key_of
from rankalpha.pipeline.champion import CHAMPION
from tests.support.waiting import wait_for

pytestmark = pytest.mark.story
BEFORE = "2022-03-01T06:00:00"


@pytest.fixture(scope="module", autouse=True)
def scored_by_the_champion(version_api, lane, folder):
    with (folder / "env" / lane.market.name / "scorer.env").open("a") as profile:
        profile.write("SCORER_MODEL=champion\n")
    lane.ingest(BEFORE)


def asked(lane):
    """Train on the newest batch; return the run once it asks a person."""
    run = lane.trigger("training")
    waits = lambda: lane.tasks("training", run)["approve_model"]["state"] == "awaiting_input"  # noqa: E731
    wait_for("the question", waits)
    return run


def question(lane, run):
    """The path of what is asked."""
    return f"dags/{lane.dag('training')}/dagRuns/{run}/taskInstances/approve_model/-1/hitlDetails"


def answered(lane, choice):
    """Train on the newest batch and answer what is asked; return the tasks of the run by their ids."""
    run = asked(lane)
    lane.api.patch(question(lane, run), {"chosen_options": [choice], "params_input": {}})
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
    (entry,) = stored(lane.api, lane.asset("models"), CHAMPION)
    assert (entry["batch"], entry["by"]) == (model["partition_key"], "rankalpha")
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


def test_who_does_not_answer_in_time_rejects_on_record_and_the_champion_stays(lane):
    before = made_from(lane, ingested_now(lane))["models"]
    run = asked(lane)
    waiting = f"WHERE (dag_id, run_id, state) = ('{lane.dag('training')}', '{run}', 'awaiting_input')"
    left = "extract(epoch FROM trigger_timeout - now()) / 86400"
    (days,) = lane.stack.query(f"SELECT {left} FROM task_instance {waiting}")
    assert 4.9 < days < 5
    over = f"UPDATE task_instance SET trigger_timeout = now() {waiting} RETURNING run_id"
    assert lane.stack.query(over) == [run]
    lane.settle()
    tasks = lane.tasks("training", run)
    assert (tasks["approve_model"]["state"], tasks["name_champion"]["state"]) == ("success", "skipped")
    answer = lane.api.get(question(lane, run))
    assert (answer["chosen_options"], answer["responded_by_user"]) == (["Reject"], None)
    assert answer["responded_at"]
    assert made_from(lane, ingested_now(lane))["models"] == before
