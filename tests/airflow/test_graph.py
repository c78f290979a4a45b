"""The dataset graph equals its snapshot, so that a change of it shows in review.

After an intended change: UPDATE_SNAPSHOT=1 make validate
"""

import os
from pathlib import Path

from rankalpha.pipeline import STEPS

SNAPSHOT = Path(__file__).with_name("graph.txt")


def inputs(dag):
    """The names of the datasets that a DAG runs on."""
    condition = getattr(dag.timetable, "asset_condition", None)
    return sorted(asset.name for asset in getattr(condition, "objects", [condition]) if asset)


def schedule(dag):
    """When a DAG runs, in words."""
    found = " and ".join(f"[{name}]" for name in inputs(dag))
    return found or f"cron {dag.timetable.expression} {dag.timetable.timezone}"


def names(assets):
    return ", ".join(sorted(asset.name for asset in assets)) or "-"


def graph(dags):
    """The graph as text: each DAG, when it runs, its tasks in order with what they read and write."""
    lines = []
    for dag_id, dag in sorted(dags.items()):
        lines.append(f"{dag_id}  on {schedule(dag)}, by {type(dag.timetable).__name__}")
        for task in dag.topological_sort():
            upstream = ", ".join(sorted(task.upstream_task_ids)) or "-"
            lines.append(
                f"    {task.task_id:<18} {type(task).__name__:<16} after {upstream:<16} "
                f"reads {names(task.inlets):<18} writes {names(task.outlets)}"
            )
    return "\n".join(lines) + "\n"


def test_the_graph_is_as_in_the_snapshot(dags):
    found = graph(dags)
    if os.environ.get("UPDATE_SNAPSHOT"):
        SNAPSHOT.write_text(found)
    assert found == SNAPSHOT.read_text()


def test_the_join_needs_both_halves(dags):
    grading = dags["rankalpha_grading"]
    assert type(grading.timetable.asset_condition).__name__ == "AssetAll"
    assert {"scores", "sentiment"} <= set(inputs(grading))


def test_the_pipeline_as_seen_from_outside_is_that_of_the_dags(dags):
    for step in STEPS:
        writes = [asset.name for task in dags[step.dag_id].tasks for asset in task.outlets]
        assert (sorted(step.reads), [step.writes]) == (inputs(dags[step.dag_id]), writes)
