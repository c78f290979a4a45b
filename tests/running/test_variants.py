"""A challenger that hangs or dies beside its champion in a running Airflow: the champion is as ever."""

import json
from datetime import datetime

import pytest

CHAMPION = ("ingestion", "scoring", "sentiment", "grading", "evaluation")
RIVAL = ("rival_scoring", "rival_grading", "rival_comparison")


def graded(lane, key):
    """When the champion's batch began, and when the ranking page knew of it."""
    (begun,) = (run["start_date"] for run in lane.runs_of("ingestion", key))
    notified = lane.tasks("grading", lane.run_of("grading", key))["notify_frontend"]["end_date"]
    return datetime.fromisoformat(begun), datetime.fromisoformat(notified)


def champion_is_well(lane, version_api, key):
    for step in CHAMPION:
        tasks = lane.tasks(step, lane.run_of(step, key)).values()
        assert {(task["state"], task["try_number"]) for task in tasks} == {("success", 1)}, step
    (event,) = lane.published("grades", key)
    assert version_api.shown[key] == event["extra"]["version"]["path"]


def test_a_challenger_is_graded_and_compared(lane, version_api, say):
    key = "2022-05-01T06:00:00"
    lane.ingest(key)
    champion_is_well(lane, version_api, key)
    for step in RIVAL:
        assert [run["state"] for run in lane.runs_of(step, key)] == ["success"], step
    (own,), (champions,) = lane.published("rival_grades", key), lane.published("grades", key)
    assert own["extra"]["version"]["path"] != champions["extra"]["version"]["path"]
    found = json.loads(lane.command("compare", "--variant", "rival", "--json").stdout)
    assert [(row["batch"], row["changed"]) for row in found["batches"]] == [(key, 0)]
    assert lane.api.get(f"/rankalpha/comparison/rival?market={lane.market.name}") == found
    begun, notified = graded(lane, key)
    say(f"a champion beside a challenger that is well: {(notified - begun).total_seconds():.1f} s")


@pytest.mark.parametrize(
    ("minute", "fault", "told"),
    [(1, "held", "was stopped at its time limit"), (2, "killed", "exited with 137")],
    ids=["hangs", "dies"],
)
def test_a_challenger_that_goes_wrong_is_looked_at_today(lane, version_api, say, minute, fault, told):
    key = f"2022-05-02T06:0{minute}:00"
    with lane.fault("rival", fault):
        lane.ingest(key)
    champion_is_well(lane, version_api, key)
    run_id = lane.run_of("rival_scoring", key)
    task = lane.tasks("rival_scoring", run_id)["run_scorer"]
    assert (task["state"], task["try_number"]) == ("failed", 2)
    log = lane.log("rival_scoring", run_id, "run_scorer", 2)
    assert told in log
    assert f"ALERT RankAlpha LOOK TODAY: {lane.dag('rival_scoring')} failed for batch {key}" in log
    assert lane.runs_of("rival_grading", key) == lane.runs_of("rival_comparison", key) == []
    begun, notified = graded(lane, key)
    say(f"a champion beside a challenger that is {fault}: {(notified - begun).total_seconds():.1f} s")
    if fault == "held":
        assert notified < datetime.fromisoformat(task["end_date"]), "nothing waits for its end"
