"""Random histories of whole runs: scheduled, manual, late and repeated ones, amid pauses and deaths.

Every batch ends graded on its own halves, once for whatever was published anew; else the watchdog names it.
"""

import random
import subprocess
import threading
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta

import psutil
import pytest

from rankalpha.health.diagnosis import incidents
from rankalpha.health.snapshot import snapshots
from rankalpha.pipeline.batch import key_of
from rankalpha.pipeline.pipelines import CONSUMER_DAGS, DEFAULT_PIPELINE
from tests.faults.components import AIRFLOW, arm
from tests.support.backfills import backfill, patiently
from tests.support.figures import RUNNING
from tests.support.services import GRADING

DAGS = {"scores": "rankalpha_scoring", "sentiment": "rankalpha_sentiment"}
pytestmark = pytest.mark.usefixtures("well_again")
DAY = datetime(2024, 1, 1, tzinfo=UTC)


@contextmanager
def second_scheduler(stack):
    """Another scheduler on the same database, with a session of its own."""
    command = [stack.rankalpha, "airflow", "scheduler", "--skip-serve-logs"]
    log = (stack.state.parent / "second-scheduler.log").open("a")  # not among those of the components
    with (
        log,
        subprocess.Popen(
            command, cwd=stack.checkout, env=stack.env, stdout=log, stderr=log, start_new_session=True
        ) as starter,
    ):
        own = [psutil.Process(starter.pid)]
        try:
            yield
        finally:
            for process in [*own, *own[0].children(recursive=True)]:
                process.kill()


class Trouble:
    """What happens beside a history, in a thread of its own: pauses and deaths."""

    def __init__(self, stack, seed, figures):
        self.stack, self.chance, self.figures = stack, random.Random(seed), figures
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._make)

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def _make(self):
        for _ in range(self.chance.randint(1, 3)):
            if self.over.wait(self.chance.random() * 8):
                return
            self.chance.choice([self._pause, self._kill])()

    def _pause(self):
        dag_id = self.chance.choice(CONSUMER_DAGS)
        self._set_paused(dag_id, True)
        self.over.wait(self.chance.random() * 15)
        self._set_paused(dag_id, False)
        self.figures["pauses"] += 1

    def _set_paused(self, dag_id, paused):
        patiently(self.stack.api.patch, f"dags/{dag_id}", {"is_paused": paused})

    def _kill(self):
        arm(self.stack, None, self.chance.choice(AIRFLOW))()
        self.figures["components killed"] += 1


def post_both(stack, key):
    """Post an event of each half of a batch at the same instant, as another system may."""
    barrier = threading.Barrier(2)

    def post(asset):
        (found,) = patiently(stack.api.get, "assets", name_pattern=asset, limit=1)["assets"]
        barrier.wait()
        patiently(
            stack.api.post, "assets/events", {"asset_id": found["id"], "partition_key": key, "extra": {}}
        )

    threads = [threading.Thread(target=post, args=(asset,)) for asset in DAGS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def play(lane, chance, first, figures):
    """Play a random history and return the keys of the batches that it started."""
    stack = lane.stack
    days = chance.randint(1, 2)
    keys = backfill(lane, first, days)
    for _ in range(chance.randint(1, 2)):
        time.sleep(chance.random() * 6)
        keys.append(key_of(first + timedelta(seconds=chance.randrange(150_000))))
        patiently(stack.trigger, "rankalpha_ingestion", keys[-1])
    for _ in range(chance.randint(2, 4)):
        dag_id = chance.choice([*DAGS.values(), "rankalpha_ingestion", "both halves at once"])
        done = patiently(stack.runs, "rankalpha_ingestion", state=["success"])
        ready = {run["partition_key"] for run in done} & set(keys)
        if ready and dag_id == "both halves at once":
            post_both(stack, chance.choice(sorted(ready)))
            figures["halves posted at the same instant"] += 1
        elif ready:
            patiently(stack.trigger, dag_id, chance.choice(sorted(ready)))
        time.sleep(chance.random() * 4)
    return keys


def halves(stack, key):
    """The events of scores and sentiment of a batch, oldest first."""
    return sorted(
        event["timestamp"] for asset in DAGS for event in stack.events(asset) if event["partition_key"] == key
    )


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(RUNNING))
def test_every_batch_is_graded_on_its_own_halves(stack, lane, services, figures, seed):
    with ExitStack() as beside:
        if seed % 2:
            beside.enter_context(second_scheduler(stack))
            figures["two schedulers"] += 1
        with Trouble(stack, seed, figures):
            keys = play(lane, random.Random(seed), DAY + timedelta(days=10 * seed), figures)
        patiently(stack.settle)

    gradings = [run for run in stack.runs("rankalpha_grading") if run["partition_key"] in keys]
    for run in gradings:
        events = stack.api.get(f"dags/rankalpha_grading/dagRuns/{run['dag_run_id']}/upstreamAssetEvents")
        consumed = {(e["name"], e["partition_key"]) for e in events["asset_events"]}
        assert consumed == {("scores", run["partition_key"]), ("sentiment", run["partition_key"])}
    (snapshot,) = snapshots(stack.api, 1, [DEFAULT_PIPELINE])
    unsettled = {batch.key for batch in snapshot.batches if not batch.settled} & set(keys)
    named = {key for key in keys for one in incidents(snapshot) if key in one.subject}
    assert unsettled == named, "what is not graded is named by the watchdog, and nothing else is"
    for key in set(keys) - unsettled:
        of_key = [run for run in gradings if run["partition_key"] == key]
        published = halves(stack, key)
        assert max(run["start_date"] for run in of_key) > published[-1], f"{key}: graded on old halves"
        assert len(of_key) <= len(published) - 1, f"{key}: graded more often than something new was published"
    asked = Counter(batch for batch in services.asked(GRADING) if batch in keys)
    runs = Counter(run["partition_key"] for run in gradings)
    assert asked >= runs, "a try whose worker was killed asks again, and none is left out"
    figures.add(histories=1, batches=len(keys), gradings=len(gradings))
    figures["named by the watchdog"] += len(named)
