"""What the README shows is what was measured."""

import json

import pytest

from tests.faults.cell import Outcome
from tests.faults.conftest import RESULTS
from tests.faults.table import Matrix

HISTORIES = RESULTS.parent / "histories.json"


def test_the_fault_matrix_is_that_of_the_last_whole_run(root):
    matrix = Matrix([Outcome(**cell) for cell in json.loads(RESULTS.read_text())])
    assert matrix.whole
    assert matrix.table() in (root / "README.md").read_text()


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
    assert f"| {row} | {counts} | {schedulers} |" in (root / "README.md").read_text()
