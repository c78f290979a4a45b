"""What the README shows is what was measured."""

import json

from tests.faults.cell import Outcome
from tests.faults.conftest import RESULTS
from tests.faults.table import Matrix


def test_the_fault_matrix_is_that_of_the_last_whole_run(root):
    matrix = Matrix([Outcome(**cell) for cell in json.loads(RESULTS.read_text())])
    assert matrix.whole
    assert matrix.table() in (root / "README.md").read_text()
