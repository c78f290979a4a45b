"""Cells of the fault matrix: batches, one fault that strikes them, and what became of each batch."""

import re
import time
from collections import Counter
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass

from rankalpha.pipeline.steps import SHAPE
from tests.faults.components import arm
from tests.faults.moments import DAG, TASK, Moments
from tests.faults.stages import ticks
from tests.support.services import FRONTEND
from tests.support.waiting import wait_for

PATIENCE = 240  # seconds until the batch must be graded
NEEDED = tuple(step.stage for step in SHAPE if step.stage and not step.optional)  # for a batch to be graded


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
        """Whether the batch was graded with one container for each stage that it needs."""
        return self.graded and self.log_whole and all(self.containers.get(stage) == 1 for stage in NEEDED)


def strike(engine, component, lanes):
    """Bring a batch of each lane to its moment, kill a component, and wait for the batches to be graded.

    `lanes`: by moments, in the order in which their batches begin; the last one that is reached is the moment
    of the fault, and those before it must still hold then.
    """
    stack = next(iter(lanes.values())).stack
    stack.settle([dag_id for lane in lanes.values() for dag_id in lane.pipeline.dag_ids])
    strike_now, runs = arm(stack, engine, component), {}
    with ExitStack() as watching:
        reached = {}
        for moment, lane in lanes.items():
            runs[moment] = lane.trigger(DAG)
            if moment != "before start":
                reached[moment] = watching.enter_context(closing(Moments(lane, engine, runs[moment])))
                reached[moment].wait(moment)
        assert all(one.holds(moment) for moment, one in reached.items()), "a batch was past its moment"
        begin = time.monotonic()
        strike_now()
    took = _graded(lanes, runs, begin)
    found = []
    for moment, lane in lanes.items():
        batch, graded = batch_of(runs[moment]), moment in took
        started = [entry["stage"] for entry in engine.journal(lane.market) if entry["batch"] == batch]
        whole = graded and printed(lane, runs[moment]) == ticks(lane.market.name)
        seconds = round(took.get(moment, PATIENCE), 1)
        found.append(Outcome(component, moment, graded, seconds, dict(Counter(started)), whole))
    return found


def printed(lane, run_id):
    """What ingestion has printed, as the log of its task's last try shows it."""
    attempt = lane.tasks(DAG, run_id)[TASK]["try_number"]
    return [int(tick) for tick in re.findall(r'"tick (\d+)"', lane.log(DAG, run_id, TASK, attempt))]


def batch_of(run_id):
    """Return the batch of a run that was triggered without a key."""
    return run_id.removeprefix("manual__")[:19]


def _graded(lanes, runs, begin):
    """Return, by moment, seconds from the fault until the frontend was told of the batch."""
    took = {}

    def all_graded():
        for moment, lane in lanes.items():
            if moment not in took and batch_of(runs[moment]) in lane.services.asked(FRONTEND):
                took[moment] = time.monotonic() - begin
        return took.keys() == runs.keys()

    with suppress(AssertionError):  # whatever is missing then
        wait_for("all batches to be graded", all_graded, PATIENCE)
    return took
