"""Whatever is killed, whenever: the batch is graded, and each stage's container ran once."""

import pytest

from tests.faults.cell import strike
from tests.faults.components import COMPONENTS
from tests.faults.engine import MAY_RESTART
from tests.faults.moments import MOMENTS

# without live-restore the engine itself kills the containers that run, so that one more is needed
CANNOT_BE_MET = {("Docker daemon", moment) for moment in ("just started", "mid-run")}


@pytest.mark.timeout(400)
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("component", COMPONENTS)
def test_batch_is_graded_with_one_container_for_each_stage(
    stack, services, engine, matrix, component, moment
):
    if component.startswith("Docker daemon") and not engine.may_restart:
        pytest.skip(f"kills this machine's Docker daemon: set {MAY_RESTART}=1 to allow it")
    outcome = strike(stack, services, engine, component, moment)
    matrix.cells.append(outcome)
    print(f"{component}, {moment}: {outcome}")
    assert outcome.graded
    if (component, moment) in CANNOT_BE_MET:
        assert outcome.containers["ingestion"] == 2
    else:
        assert outcome.met
