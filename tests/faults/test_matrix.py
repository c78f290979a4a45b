"""Whatever is killed, whenever: the batch is graded, and each stage's container ran once.

One fault strikes three batches at three moments where these can be brought about at once.
"""

import os

import pytest

from tests.faults.cell import strike
from tests.faults.components import COMPONENTS, LIVE
from tests.faults.moments import MOMENTS, TOGETHER
from tests.faults.stages import LONG
from tests.support.daemon import MAY_RESTART

# without live-restore the engine itself kills the containers that run, so that one more is needed
CANNOT_BE_MET = {("Docker daemon", moment) for moment in ("just started", "mid-run")}
SOME = [  # each component once
    ("scheduler", ["before start"]),
    ("triggerer", ["mid-run"]),
    ("api-server", ["at exit"]),
    ("dag-processor", ["mid-run"]),
    ("worker", ["just started"]),
    ("PostgreSQL", ["while publishing"]),
    (LIVE, ["mid-run"]),
    ("Docker daemon", ["mid-run"]),
    ("everything", ["mid-run"]),
]
APART = [[moment] for moment in MOMENTS if moment not in TOGETHER]  # over too soon for others to wait in them
ALL = [(component, moments) for component in COMPONENTS for moments in (TOGETHER, *APART)]
STRIKES = [
    pytest.param(component, moments, id=f"{component}, {' + '.join(moments)}")
    for component, moments in (ALL if os.environ.get("FAULTS") == "all" else SOME)
]  # `make test-faults`, or a part of `make test-all`


@pytest.mark.timeout(500)
@pytest.mark.parametrize(("component", "moments"), STRIKES)
def test_batch_is_graded_with_one_container_for_each_stage(lanes, engine, matrix, component, moments):
    if component.startswith("Docker daemon") and not engine.may_restart:
        pytest.skip(f"kills this machine's Docker daemon: set {MAY_RESTART}=1 to allow it")
    names = (LONG, "default", "third") if len(moments) > 1 else ("default",)
    struck = {moment: lanes[name] for moment, name in zip(moments, names, strict=True)}
    outcomes = strike(engine, component, struck)
    matrix.cells.extend(outcomes)
    for outcome in outcomes:
        print(outcome)
    for outcome in outcomes:
        assert outcome.graded
        assert outcome.log_whole
        if (component, outcome.moment) in CANNOT_BE_MET:
            assert outcome.containers["ingestion"] == 2
        else:
            assert outcome.met
