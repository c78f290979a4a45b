"""The graph as a Mermaid flowchart, as the README shows it: DAGs are boxes, datasets are cylinders."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from rankalpha.pipeline.pipelines import pipeline_of

# what is in no DAG file: what starts a batch besides the clock, and who is notified in the end
BY_HAND = "start-up, by hand"
NOTIFIED = 'page["ranking page is notified"]'
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
    for dag in found["dags"]:
        if not dag["reads"] and not dag["writes"]:
            continue
        dag_id = dag["dag_id"]
        written = " & ".join(f"{name}[({name})]" for name in dag["writes"])
        yield f"{_source(dag)} {dag_id}" + (f" --> {written}" if written else "")
        if (pipeline := pipeline_of(dag_id)) and dag_id == pipeline.grading:
            yield f"{dag_id} -.-> {NOTIFIED}"


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
