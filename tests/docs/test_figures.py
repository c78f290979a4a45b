"""The figures in the pages are those that were measured."""

import json

import pytest

from bench import overhead, variants
from bench.parse import CLASSIC, EACH
from bench.report import LATEST
from tests.faults.cell import Outcome
from tests.faults.conftest import RESULTS
from tests.faults.table import Matrix

HISTORIES = RESULTS.parent / "histories.json"


def test_the_fault_matrix_is_that_of_the_last_whole_run(root):
    matrix = Matrix([Outcome(**cell) for cell in json.loads(RESULTS.read_text())])
    assert matrix.whole
    assert matrix.table() in (root / "docs/explain/faults.md").read_text()


@pytest.mark.parametrize(
    ("kind", "row", "instant", "killed"),
    [
        (
            "The join of scores and sentiment",
            "the join, on Airflow's own scheduler code",
            "halves at the same instant",
            "schedulers killed",
        ),
        (
            "Random histories of whole runs",
            "whole runs in a running stack",
            "halves posted at the same instant",
            "components killed",
        ),
    ],
)
def test_the_random_histories_are_those_of_the_last_whole_run(root, kind, row, instant, killed):
    figures = json.loads(HISTORIES.read_text())[kind]
    columns = ("histories", "batches", "gradings", instant, killed)
    counts = " | ".join(str(figures[column]) for column in columns)
    schedulers = figures.get("two schedulers at once", figures.get("two schedulers"))
    assert f"| {row} | {counts} | {schedulers} |" in (root / "docs/explain/batches.md").read_text()


def test_the_variant_that_is_the_same_is_that_of_the_last_run(root):
    figures = json.loads(HISTORIES.read_text())["A variant that is the same"]
    told = f"Batches that differ: {figures['batches that differ']} of {figures['batches']}, in 0 letters."
    assert told in (root / "docs/guides/variants.md").read_text()


@pytest.fixture(scope="module")
def measured():
    """The newest figures of the benchmark by their names."""
    parts = json.loads(LATEST.read_text())
    return {figure["name"]: figure for part in parts.values() for figure in part["figures"]}


def test_the_figures_are_those_of_the_last_benchmark(root, measured):
    def both(name: str, digits: int) -> str:
        return f"{measured[name]['median']:.{digits}f} s, {measured[name]['worst']:.{digits}f} s"

    def one(name: str, digits: int) -> str:
        return f"{measured[name]['median']:.{digits}f}"

    def idle(stack: str) -> str:
        gigabytes = measured[f"memory of the idle stack (PSS), {stack}"]["median"] / 1000
        return f"{gigabytes:.2f} GB, {one(f'CPU of the idle stack, {stack}', 2)} cores"

    added, gap, flying = "over the floor, {}", "event to start, {}", "memory of a stage in flight (PSS), {}"
    ours, at_once, classic, plain = overhead.OURS, overhead.AT_ONCE, overhead.CLASSIC, overhead.PLAIN
    rows = [
        [
            "what is added to a batch, median and worst",
            f"{both(added.format(ours), 1)}; deferred at once {both(added.format(at_once), 1)}",
            f"one DAG {both(added.format(classic), 1)}; four DAGs by datasets {both(added.format(plain), 1)}",
        ],
        [
            "dataset event to start of the run that waits for it, median and worst",
            both(gap.format(ours), 2),
            both(gap.format(plain), 2),
        ],
        [
            "memory of a stage in flight (PSS)",
            *(
                f"{one(flying.format(stack), digits)} MB"
                for stack, digits in ((ours, 1), ("stock Airflow", 0))
            ),
        ],
        [
            "memory and CPU of the idle stack (PSS), RankAlpha's with API, page and supervisor",
            idle(ours),
            idle("stock Airflow"),
        ],
        [
            "parsing a DAG file; stock's reads 25 Variables at its top level",
            f"{one(f'{EACH}, CPU', 3)} CPU s, no calls",
            f"{one(f'{CLASSIC}, CPU', 2)} CPU s, {one(f'{CLASSIC}, calls', 0)} calls",
        ],
    ]
    rows += [
        [
            way,
            one(f"DAGs, {way}", 0),
            one(f"modules that parsing loads, {way}", 0),
            one(f"parsing, {way}", 2),
            one(f"memory that parsing takes (PSS), {way}", 1),
        ]
        for way in variants.DECLARED
    ]
    text = (root / "docs/explain/benchmarks.md").read_text()
    for row in rows:
        assert f"| {' | '.join(row)} |" in text
    if (prefect := added.format(overhead.PREFECT)) in measured:  # it is optional
        assert f"Prefect adds {both(prefect, 1)}, median and worst." in text
    none, without = idle(variants.NONE), idle(variants.WITHOUT)
    assert f"takes {none} when nothing is declared, and {without} without" in text
    assert f"{one('until all 200 of them run', 0)} s after they were asked for" in text
