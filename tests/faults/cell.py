"""One cell of the fault matrix: a batch, a fault, and what became of the batch."""

import re
import time
from collections import Counter
from dataclasses import dataclass

from tests.faults.components import arm
from tests.faults.moments import Moments
from tests.faults.stages import SECONDS
from tests.support.services import FRONTEND
from tests.support.waiting import wait_for

STAGES = ("ingestion", "scorer", "sentiment")
TICKS = list(range(2 * SECONDS["ingestion"]))
PATIENCE = 240  # seconds until the batch must be graded


@dataclass(frozen=True)
class Outcome:
    """What became of a batch; `seconds` from the fault until it was graded, `containers` by stage.

    `log_whole`: each line that ingestion has printed is once in the log of its last try.
    """

    component: str
    moment: str
    graded: bool
    seconds: float
    containers: dict
    log_whole: bool

    @property
    def met(self):
        """Whether the batch was graded with one container for each stage."""
        return self.graded and self.log_whole and all(self.containers.get(stage) == 1 for stage in STAGES)


def strike(stack, services, engine, component, moment):
    """Start a batch, kill a component at a moment, and wait for the batch to be graded."""
    stack.settle()
    strike_now = arm(stack, engine, component)
    run_id = stack.trigger("rankalpha_ingestion")
    moments = Moments(stack, engine.url, run_id)
    try:
        moments.wait(moment)
        begin = time.monotonic()
        strike_now()
    finally:
        moments.close()
    batch = _batch(run_id)
    graded = _graded(services, batch, begin)
    seconds = time.monotonic() - begin
    containers = Counter(entry["stage"] for entry in engine.journal() if entry["batch"] == batch)
    whole = graded and ticks(stack, "rankalpha_ingestion", run_id, "run_ingestion") == TICKS
    return Outcome(component, moment, graded, round(seconds, 1), dict(containers), whole)


def ticks(stack, dag_id, run_id, task_id):
    """What a stage has printed, as the log of its task's last try shows it."""
    attempt = stack.tasks(dag_id, run_id)[task_id]["try_number"]
    return [int(tick) for tick in re.findall(r'"tick (\d+)"', stack.log(dag_id, run_id, task_id, attempt))]


def _batch(run_id):
    return run_id.removeprefix("manual__")[:19]


def _graded(services, batch, begin):
    """Wait until the frontend was told of the batch."""
    try:
        wait_for(lambda: batch in services.asked(FRONTEND), PATIENCE - (time.monotonic() - begin))
    except AssertionError:
        return False
    return True
