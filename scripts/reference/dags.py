"""The DAGs: their documentation, their tasks, and when they run."""

import ast
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path
from typing import Any

from rankalpha.lineage.graph import dag_bag, in_flow
from rankalpha.lineage.graph import graph as graph_of
from scripts.reference.markdown import code, page, table

MINUTE = 60.0  # seconds


def pages(root: Path) -> dict[str, str]:
    """Return the page of the DAGs; RuntimeError for a DAG file that cannot be read."""
    bag = dag_bag(root)
    if bag.import_errors:
        raise RuntimeError(f"DAG files cannot be read: {bag.import_errors}")
    some = (*_of_a_variant(_doc(root, "comparison")), *_of_training(_doc(root, "training")))
    return {
        "dags.md": page("DAGs", _parts(bag.dags)),
        "dags-of-some.md": page("DAGs that only some markets have", some),
    }


def _doc(root: Path, name: str) -> str:
    """Return the documentation of a DAG that the default market does not have, without its heading."""
    text = (root / "dags" / f"{name}.py").read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(text)) or "").partition("\n")[2].strip()


def _parts(dags: dict[str, Any]) -> Iterator[str]:
    yield "The DAGs of the default market, with the documentation that Airflow shows too."
    yield "Each further market has the five DAGs of the batches again, see [markets](../guides/markets.md)."
    for found in in_flow(graph_of(dags)["dags"]):
        dag = dags[found["dag_id"]]
        yield f"## {dag.dag_id}"
        yield cleandoc(dag.doc_md).partition("\n")[2].strip()
        rows = (_task(dag.get_task(task["task_id"]), task) for task in found["tasks"])
        yield table(("task", "after", "operator", "pool", "time limit"), rows)


def _of_a_variant(documentation: str) -> Iterator[str]:
    yield "The DAGs of variants and of trainings, with the documentation that Airflow shows too."
    yield "## rankalpha_challenger_comparison"
    yield (
        "Only with a variant, here `challenger`. Its other DAGs, such as `rankalpha_challenger_scoring`,\n"
        "are like [those of every market](dags.md), see [variants](../guides/variants.md)."
    )
    yield documentation


def _of_training(documentation: str) -> Iterator[str]:
    yield "## rankalpha_training"
    yield "Only where a market trains models, see [models](../guides/models.md)."
    yield documentation


def _task(task: Any, found: dict[str, Any]) -> tuple[str, ...]:
    limit = task.execution_timeout
    return (
        code(task.task_id),
        ", ".join(map(code, found["after"])),
        found["operator"],
        code(task.pool),
        f"{limit.total_seconds() / MINUTE:g} min" if limit else "",
    )
