"""The graph of DAGs and datasets, read from the DAG files themselves, without the database or the API."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any


def dag_bag(bundle: Path) -> Any:
    """Return Airflow's DagBag of a bundle, the folder of dags/ and datasets/."""
    from airflow.dag_processing.dagbag import DagBag  # noqa: PLC0415  heavy

    import_from(bundle)
    return DagBag(str(bundle))


def import_from(bundle: Path) -> None:
    """Let `dags` and `datasets` be those of a bundle, as Airflow does; PYTHONPATH may have a `datasets`."""
    if sys.path[0] != str(bundle):
        sys.path.insert(0, str(bundle))


def graph(dags: Mapping[str, Any]) -> dict[str, Any]:
    """Return the graph of DAGs by id, JSON-ready.

    {"dags": [{"dag_id", "schedule", "timetable", "reads": [dataset], "writes": [dataset],
    "tasks": [{"task_id", "operator", "after": [task_id], "reads", "writes"}]}],
    "datasets": [{"name", "uri", "written_by": [dag_id], "read_by": [dag_id]}]};
    DAGs and tasks in the order in which they run, one pipeline after another; datasets by name.
    """
    found = in_flow([_dag(dag) for dag in dags.values()])
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


def in_flow(dags: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return DAGs (as in `graph`) in the order of their datasets' flow; those without datasets are last."""
    by_id = {dag["dag_id"]: dag for dag in sorted(dags, key=lambda dag: str(dag["dag_id"]))}
    writers: dict[str, list[str]] = {}
    for dag_id, dag in by_id.items():
        for name in dag["writes"]:
            writers.setdefault(name, []).append(dag_id)
    before = {
        key: [one for name in dag["reads"] for one in writers.get(name, ())] for key, dag in by_id.items()
    }
    # where a DAG stands: its pipeline, named by the DAG that it starts with, then its distance from that
    place: dict[str, tuple[str, int]] = {}
    for dag_id in TopologicalSorter(before).static_order():
        places = [place[one] for one in before[dag_id]]
        start = min((start for start, _ in places), default=dag_id)
        place[dag_id] = start, max((distance for _, distance in places), default=-1) + 1
    alone = {key for key, dag in by_id.items() if not dag["reads"] and not dag["writes"]}
    return [by_id[key] for key in sorted(by_id, key=lambda key: (key in alone, place[key], key))]


def text(found: Mapping[str, Any]) -> str:
    """Return a graph as text: each DAG between its datasets, its timetable, and its tasks."""
    return "".join(f"{line}\n" for dag in found["dags"] for line in _lines(dag))


def _lines(dag: Mapping[str, Any]) -> Iterator[str]:
    source = " and ".join(dag["reads"]) or dag["schedule"]
    flow = [source, dag["dag_id"], *([", ".join(dag["writes"])] if dag["writes"] else [])]
    yield f"{' → '.join(flow)}  ({dag['timetable']})"
    for task in dag["tasks"]:
        after = f"{', '.join(task['after'])} → " if task["after"] else ""
        datasets = [f"{verb} {', '.join(task[verb])}" for verb in ("reads", "writes") if task[verb]]
        name = f"{after}{task['task_id']}"
        yield f"    {name:<36} {task['operator']:<16} {'; '.join(datasets)}".rstrip()


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
