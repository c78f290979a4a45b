"""A challenger whose container eats all of its memory beside its champion, on a real engine."""

from datetime import datetime

from tests.faults.conftest import RIVALLED


def seconds(lane, run_id):
    """How long the champion's batch of a run took, until the ranking page knew of it."""
    (begun,) = (run for run in lane.runs("ingestion") if run["dag_run_id"] == run_id)
    (grading,) = lane.runs_of("grading", begun["partition_key"])
    told = lane.tasks("grading", grading["dag_run_id"])["notify_frontend"]["end_date"]
    return (datetime.fromisoformat(told) - datetime.fromisoformat(begun["start_date"])).total_seconds()


def test_it_is_killed_and_says_so_and_the_champion_is_as_ever(lanes, engine, say):
    took = {}
    for key in ("2022-06-01T06:00:00", "2022-06-02T06:00:00"):
        for name in ("default", RIVALLED):
            took.setdefault(name, []).append(seconds(lanes[name], lanes[name].ingest(key)))
    say(f"a champion beside a challenger without memory: {took[RIVALLED]} s; alone: {took['default']} s")
    lane = lanes[RIVALLED]
    for step in ("ingestion", "scoring", "sentiment", "grading"):
        tasks = lane.tasks(step, lane.run_of(step, key)).values()
        assert {(task["state"], task["try_number"]) for task in tasks} == {("success", 1)}, step
    run_id = lane.run_of("eater_scoring", key)
    task = lane.tasks("eater_scoring", run_id)["run_scorer"]
    assert (task["state"], task["try_number"]) == ("failed", 2)
    log = lane.log("eater_scoring", run_id, "run_scorer", 2)
    assert "exited with 137" in log
    assert "memory ran out: raise SCORER_MEM." in log
    assert f"ALERT RankAlpha LOOK TODAY: {lane.dag('eater_scoring')} failed for batch {key}" in log
    assert lane.runs_of("eater_grading", key) == []
    started = [entry["stage"] for entry in engine.journal(lane.market) if entry["batch"] == key]
    assert started.count("scorer") == 1, "the champion's"
