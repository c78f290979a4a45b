"""The graph of DAGs and datasets, read from the DAG files themselves: neither database nor API is asked."""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any


def dag_bag(bundle: Path) -> Any:
    """Return Airflow's DagBag of a bundle, the folder of dags/ and datasets/."""
    from airflow.dag_processing.dagbag import DagBag  # noqa: PLC0415  heavy

    if sys.path[0] != str(bundle):
        sys.path.insert(
            0, str(bundle)
        )  # as Airflow does with a bundle's root; PYTHONPATH may have a `datasets`
    return DagBag(str(bundle))


def graph(dags: Mapping[str, Any]) -> dict[str, Any]:
    """Return the graph of DAGs by id, JSON-ready.

    {"dags": [{"dag_id", "schedule", "timetable", "reads": [dataset], "writes": [dataset],
    "tasks": [{"task_id", "operator", "after": [task_id], "reads", "writes"}]}],
    "datasets": [{"name", "uri", "written_by": [dag_id], "read_by": [dag_id]}]};
    DAGs by id and datasets by name, tasks in the order in which they run.
    """
    found = [_dag(dag) for _, dag in sorted(dags.items())]
    outlets = [asset for dag in dags.values() for task in dag.tasks for asset in task.outlets]
    uris = {asset.name: asset.uri for asset in outlets}
    datasets = [
        {
            "name": name,
            "uri": uris[name],
            "written_by": [dag["dag_id"] for dag in found if name in dag["writes"]],
            "read_by": [dag["dag_id"] for dag in found if name in dag["reads"]],
        }
        for name in sorted(uris)
    ]
    return {"dags": found, "datasets": datasets}


def inputs(dag: Any) -> list[str]:
    """Return the names of the datasets that a DAG runs on."""
    condition = getattr(dag.timetable, "asset_condition", None)
    return _names(asset for asset in getattr(condition, "objects", [condition]) if asset)


def text(found: Mapping[str, Any]) -> str:
    """Return a graph as text: each DAG, when it runs, its tasks in order with what they read and write."""
    lines = []
    for dag in found["dags"]:
        lines.append(f"{dag['dag_id']}  on {dag['schedule']}, by {dag['timetable']}")
        for task in dag["tasks"]:
            after, reads, writes = (", ".join(task[key]) or "-" for key in ("after", "reads", "writes"))
            lines.append(
                f"    {task['task_id']:<18} {task['operator']:<16} after {after:<16} "
                f"reads {reads:<18} writes {writes}"
            )
    return "\n".join(lines) + "\n"


def _dag(dag: Any) -> dict[str, Any]:
    tasks = [
        {
            "task_id": task.task_id,
            "operator": type(task).__name__,
            "after": sorted(task.upstream_task_ids),
            "reads": _names(task.inlets),
            "writes": _names(task.outlets),
        }
        for task in dag.topological_sort()
    ]
    return {
        "dag_id": dag.dag_id,
        "schedule": " and ".join(f"[{name}]" for name in inputs(dag))
        or f"cron {dag.timetable.expression} {dag.timetable.timezone}",
        "timetable": type(dag.timetable).__name__,
        "reads": inputs(dag),
        "writes": sorted({name for task in tasks for name in task["writes"]}),
        "tasks": tasks,
    }


def _names(assets: Iterable[Any]) -> list[str]:
    return sorted(asset.name for asset in assets)
