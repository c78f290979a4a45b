"""One cell of the fault matrix: a batch, a fault, and what became of the batch."""

import time
from collections import Counter
from dataclasses import dataclass

from tests.faults.components import kill
from tests.faults.moments import Moments
from tests.support.services import FRONTEND
from tests.support.stack import wait_for

STAGES = ("ingestion", "scorer", "sentiment")
PATIENCE = 240  # seconds until the batch must be graded


@dataclass(frozen=True)
class Outcome:
    """What became of a batch; `seconds` from the fault until it was graded, `containers` by stage."""

    component: str
    moment: str
    graded: bool
    seconds: float
    containers: dict

    @property
    def met(self):
        """Whether the batch was graded with one container for each stage."""
        return self.graded and all(self.containers.get(stage) == 1 for stage in STAGES)


def strike(stack, services, engine, component, moment):
    """Start a batch, kill a component at a moment, and wait for the batch to be graded."""
    stack.settle()
    run_id = stack.trigger("rankalpha_ingestion")
    moments = Moments(stack, engine.url, run_id)
    try:
        moments.wait(moment)
        begin = time.monotonic()
        kill(stack, engine, component)
    finally:
        moments.close()
    batch = _batch(run_id)
    graded = _graded(services, batch, begin)
    seconds = time.monotonic() - begin
    containers = Counter(entry["stage"] for entry in engine.journal() if entry["batch"] == batch)
    return Outcome(component, moment, graded, round(seconds, 1), dict(containers))


def _batch(run_id):
    return run_id.removeprefix("manual__")[:19]


def _graded(services, batch, begin):
    """Wait until the frontend was told of the batch."""
    try:
        wait_for(lambda: batch in services.asked(FRONTEND), PATIENCE - (time.monotonic() - begin))
    except AssertionError:
        return False
    return True
