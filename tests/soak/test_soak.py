"""A long run of simulated days, a batch every two minutes, re-runs and deaths: nothing grows for ever."""

import json
import os
import random
import time
from datetime import UTC, datetime, timedelta

import psutil
import pytest

from rankalpha.airflow_api import AirflowApiError
from rankalpha.commands.readiness import wait_for_airflow
from rankalpha.pipeline.batch import key_of
from tests.faults.components import AIRFLOW, arm
from tests.soak.days import pass_a_day
from tests.soak.growth import ENOUGH, judged, table
from tests.soak.sample import sample
from tests.support.waiting import wait_for

HOURS = float(os.environ.get("SOAK_HOURS", "24"))
EVERY = float(os.environ.get("SOAK_EVERY", "120"))  # seconds from batch to batch
BATCHES = max(1, round(HOURS * 3600 / EVERY))
FIRST = datetime(2022, 1, 3, 6, tzinfo=UTC)
API = "rankalpha:api"
KILLED = (*AIRFLOW, "worker", API)
KILL_EVERY, RERUN_EVERY = 3, 7  # batches
NOT_YET = (OSError, AirflowApiError)  # while the API server starts again
MAINTENANCE = "rankalpha_maintenance"
pytestmark = pytest.mark.timeout(HOURS * 3600 * 2 + 1800)


def kill(stack, part):
    """Kill a part of the stack, ours too."""
    if part == API:
        psutil.Process(stack.processes()[API]).kill()
    else:
        arm(stack, None, part)()


def graded(stack, key):
    """Tell whether the grades of a batch are published."""
    return any(event["partition_key"] == key for event in stack.events("grades"))


def run_day(stack, chance, number, deaths):
    """Run the batch of a day, amid a death if it is time for one; return what was killed."""
    key = key_of(FIRST + timedelta(days=number))
    stack.trigger("rankalpha_ingestion", key)
    killed = None
    if deaths and number % KILL_EVERY == 1:
        killed = KILLED[number // KILL_EVERY % len(KILLED)]
        time.sleep(chance.uniform(0, 10))
        kill(stack, killed)
        wait_for_airflow(stack.api)
    wait_for(f"the grades of {key}", lambda: graded(stack, key), 600, NOT_YET)
    if deaths and number % RERUN_EVERY == 2:
        stack.trigger("rankalpha_sentiment", key)
    stack.settle(seconds=600)
    return killed


def maintain(stack):
    """Run the maintenance; it must succeed."""
    run_id = stack.trigger(MAINTENANCE)
    ended = {"run_id_pattern": run_id, "state": ["success", "failed"]}
    (run,) = wait_for("the maintenance", lambda: stack.runs(MAINTENANCE, **ended), 300, NOT_YET)
    assert run["state"] == "success"


def test_nothing_grows_without_bound(stack, say, report_folder):
    chance, samples, killed = random.Random(1), [], []
    began = time.monotonic()
    for number in range(BATCHES):
        due = began + number * EVERY
        time.sleep(max(0, due - time.monotonic()))
        killed.append(run_day(stack, chance, number, deaths=number < BATCHES // 2))
        pass_a_day(stack)
        maintain(stack)
        samples.append(sample(stack))
        (report_folder / "soak.json").write_text(json.dumps(samples))
    growths = judged(samples)
    hours = (time.monotonic() - began) / 3600
    deaths = sum(part is not None for part in killed)
    shown = f"{BATCHES} batches and {deaths} deaths in {hours:.2f} h\n\n{table(growths)}"
    (report_folder / "soak.md").write_text(f"{shown}\n")
    say(shown)
    if len(samples) < 2 * ENOUGH:
        pytest.skip(f"{len(samples)} batches are too few to judge growth; {2 * ENOUGH} are enough")
    assert [growth.name for growth in growths if not growth.bounded] == []
