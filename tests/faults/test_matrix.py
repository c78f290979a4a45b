"""Whatever is killed, whenever: the batch is graded, and each stage's container ran once."""

import os

import pytest

from tests.faults.cell import strike
from tests.faults.components import COMPONENTS, LIVE
from tests.faults.engine import MAY_RESTART
from tests.faults.moments import MOMENTS

# without live-restore the engine itself kills the containers that run, so that one more is needed
CANNOT_BE_MET = {("Docker daemon", moment) for moment in ("just started", "mid-run")}
SOME = [
    ("scheduler", "before start"),
    ("triggerer", "mid-run"),
    ("api-server", "at exit"),
    ("dag-processor", "mid-run"),
    ("worker", "just started"),
    ("PostgreSQL", "while publishing"),
    (LIVE, "mid-run"),
    ("Docker daemon", "mid-run"),
    ("everything", "mid-run"),
]
ALL = [(component, moment) for component in COMPONENTS for moment in MOMENTS]
CELLS = ALL if os.environ.get("FAULTS") == "all" else SOME  # `make test-faults`, or a part of `make test`


@pytest.mark.timeout(400)
@pytest.mark.parametrize(("component", "moment"), CELLS)
def test_batch_is_graded_with_one_container_for_each_stage(
    stack, services, engine, matrix, component, moment
):
    if component.startswith("Docker daemon") and not engine.may_restart:
        pytest.skip(f"kills this machine's Docker daemon: set {MAY_RESTART}=1 to allow it")
    outcome = strike(stack, services, engine, component, moment)
    matrix.cells.append(outcome)
    print(f"{component}, {moment}: {outcome}")
    assert outcome.graded
    assert outcome.log_whole
    if (component, moment) in CANNOT_BE_MET:
        assert outcome.containers["ingestion"] == 2
    else:
        assert outcome.met
