"""The graph as a Mermaid flowchart, as the README shows it: DAGs are boxes, datasets are cylinders."""

import re
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from typing import Any

from rankalpha.pipeline.pipelines import pipeline_of

# what no DAG file tells: who starts a batch besides the clock, and who is told of it in the end
BY_HAND = "start-up, by hand"
TOLD = 'page["ranking page is told"]'
DAILY = re.compile(r"cron (\d+) (\d+) \* \* \* (\w+)")


def mermaid(found: Mapping[str, Any]) -> str:
    """Return a graph (see `rankalpha.lineage.graph`) as a flowchart, its start on the left.

    DAGs that neither read nor write a dataset are left out.
    """
    return "\n".join(["flowchart LR", *(f"    {line}" for line in _lines(found))]) + "\n"


def block(found: Mapping[str, Any]) -> str:
    """Return the flowchart as the README holds it."""
    return f"```mermaid\n{mermaid(found)}```\n"


def _lines(found: Mapping[str, Any]) -> Iterator[str]:
    dags = {dag["dag_id"]: dag for dag in found["dags"] if dag["reads"] or dag["writes"]}
    writers = {one["name"]: one["written_by"] for one in found["datasets"]}
    before = {key: [one for name in dag["reads"] for one in writers[name]] for key, dag in dags.items()}
    for dag_id in TopologicalSorter(before).static_order():
        dag = dags[dag_id]
        written = " & ".join(f"{name}[({name})]" for name in dag["writes"])
        yield f"{_source(dag)} {dag_id}" + (f" --> {written}" if written else "")
        if (pipeline := pipeline_of(dag_id)) and dag_id == pipeline.grading:
            yield f"{dag_id} -.-> {TOLD}"


def _source(dag: Mapping[str, Any]) -> str:
    match dag["reads"]:
        case []:
            pipeline = pipeline_of(dag["dag_id"])
            clock = f"{pipeline.market.prefix}clock" if pipeline else "clock"
            return f'{clock}(["{_when(dag["schedule"])}, {BY_HAND}"]) -->'
        case [name]:
            return f"{name} -->"
        case names:
            return f'{" & ".join(names)} -- "same batch" -->'


def _when(schedule: str) -> str:
    if daily := DAILY.fullmatch(schedule):
        minute, hour, zone = daily.groups()
        return f"{int(hour):02}:{int(minute):02} {zone}"
    return schedule
