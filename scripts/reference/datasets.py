"""The datasets, their contracts, and the form of a stage's result."""

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from rankalpha.contract import Contract
from rankalpha.pipeline.market import DEFAULT_MARKET
from rankalpha.pipeline.steps import COMPARISON, EVERY, SHAPE, TRAINING, Shape
from rankalpha.stages.result import MAX_BYTES, SCHEMA
from scripts.reference.markdown import code, page, table
from scripts.reference.schemas import words

HOUR = 3600.0  # seconds
GRADES = ("grades", "evaluations", "comparisons")  # the last of a variant alone
STAGES = tuple(step.writes for step in SHAPE if step.writes not in GRADES)


def pages(_root: Path) -> dict[str, str]:
    """Return the pages of the datasets and of a stage's result."""
    return {
        "datasets/stages.md": page("Datasets that grades are made of", _parts(STAGES)),
        "datasets/grades.md": page("Grades, evaluations and comparisons", _parts(GRADES)),
        "datasets/models.md": page("Models", _parts((TRAINING.writes,))),
        "result.md": page("Result of a stage", _result()),
    }


def _parts(shown: Sequence[str]) -> Iterator[str]:
    names = " and ".join(", ".join(map(code, shown)).rsplit(", ", 1))
    yield f"The contracts of {names}. A batch must meet its contract before it is published."
    yield (
        "A check that blocks stops the batch; one that warns lets it through. A figure that was not\n"
        "reported is not checked, except that `RANKALPHA_REQUIRE_RESULT=true` demands a result."
    )
    for step in EVERY:
        if step.writes in shown:
            yield from _dataset(step)


def _result() -> Iterator[str]:
    yield (
        f"A stage writes one JSON object of at most {MAX_BYTES // 1024} kB to the path in `RANKALPHA_RESULT`."
    )
    yield (
        "The grading API answers with one. Its `details` are those that the contract of its\n"
        "[dataset](datasets/grades.md) names, and others."
    )
    yield _fields(SCHEMA["properties"], SCHEMA["required"])


def _dataset(step: Shape) -> Iterator[str]:
    declared = import_module(f"datasets.{step.writes}")
    contract: Contract = getattr(declared, f"{step.writes.upper()}_CONTRACT")
    asset = getattr(declared, step.writes.upper())
    yield f"## {step.writes}"
    yield f"{contract.description}."
    yield "\n".join(f"- {what}: {value}" for what, value in _facts(step, contract, asset.uri))
    yield "### Checks of " + step.writes
    yield table(
        ("check", "expected", "if not"),
        ((check.name, check.expected, f"{check.severity}s") for check in contract.checks),
    )
    yield "### Details of " + step.writes
    yield _fields(contract.details, required=())


def _facts(step: Shape, contract: Contract, uri: str) -> Iterator[tuple[str, str]]:
    readers = [DEFAULT_MARKET.dag_id(one.name) for one in SHAPE if step.writes in one.reads]
    people = {COMPARISON: "`make compare`", TRAINING: "people"}.get(step, "the API and the page")
    of_a_variant = step is COMPARISON
    yield "Written by", code(DEFAULT_MARKET.dag_id(f"challenger_{step.name}" if of_a_variant else step.name))
    yield (
        "Read by",
        ", ".join(map(code, readers)) or people,
    )
    yield "Owner", contract.owner
    yield "Stale after", f"{contract.freshness.total_seconds() / HOUR:g} hours"
    yield "URI", code(uri)


def _fields(properties: Mapping[str, Any], required: tuple[str, ...]) -> str:
    rows = (
        (code(name), words(schema, {}), "required" if name in required else "")
        for name, schema in properties.items()
    )
    return table(("field", "form", ""), rows)
