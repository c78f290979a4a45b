"""Part `in_flight`: what a stage costs while its container runs, against the stock DockerOperator."""

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

import psutil
from docker import APIClient

from bench.idle import processes
from bench.report import Figure, say
from rankalpha.airflow_api import AirflowApiError
from rankalpha.stages import STAGES
from rankalpha.startup import wait_for_airflow
from tests.support.stack import RunningStack

STAGES_AT_ONCE = 200
STOCK_AT_ONCE = 20  # each holds two processes
RUNS = 10
WAIT_SECONDS = 600
MEASURED_FROM = 50  # seconds after the trigger; reading memory is work that would slow the start down
WAYS = {
    "deferred": "bench_deferred",
    "waiting in its worker": "bench_waiting",
    "DockerOperator": "bench_stock_short",
}
IMAGE, LONG = "python:3.13-slim-trixie", "sleep 60"  # what the long stages run, see dags/in_flight.py
LOCAL_BUNDLE = "airflow.dag_processing.bundles.local.LocalDagBundle"
BUNDLES = [
    {"name": "dags-folder", "classpath": LOCAL_BUNDLE, "kwargs": {}},
    {"name": "bench", "classpath": LOCAL_BUNDLE, "kwargs": {"path": str(Path(__file__).parent / "dags")}},
]


def measure() -> list[Figure]:
    """Run 200 stages of 60 s at once with 4 workers, short ones in turns, then 20 by the stock operator."""
    engine = APIClient(base_url="unix:///var/run/docker.sock", version="auto")
    with _stack(parallelism=4) as stack:
        idle = _memory(stack)
        peak, ours = _fly(stack, engine, "bench_durable", STAGES_AT_ONCE)
        short = _short(stack)
    with _stack(parallelism=STOCK_AT_ONCE) as stack:
        stock_idle = _memory(stack)
        stock_peak, theirs = _fly(stack, engine, "bench_stock", STOCK_AT_ONCE)
    own, stock = (ours - idle) / peak, (theirs - stock_idle) / stock_peak
    return [
        Figure.of(f"stages of 60 s in flight at once, of {STAGES_AT_ONCE}, with 4 workers", "stages", [peak]),
        Figure.of("memory of a stage in flight (PSS)", "MB", [own]),
        Figure.of("memory of a DockerOperator in flight (PSS)", "MB", [stock]),
        Figure.of("DockerOperator's memory against ours", "ratio", [stock / own]),
        *(Figure.of(f"run of one stage of 1 s, {way}", "s", took) for way, took in short.items()),
    ]


@contextmanager
def _stack(parallelism: int) -> Iterator[RunningStack]:
    """Run an embedded stack with the benchmark's DAGs and the docker runner."""
    with tempfile.TemporaryDirectory(prefix="rankalpha-bench-") as folder:
        profile = Path(folder, "env", "local")
        profile.mkdir(parents=True)
        for name in ("api", "bench", *(stage.name for stage in STAGES)):
            (profile / f"{name}.env").touch()
        stack = RunningStack(
            Path(folder, "state"),
            RANKALPHA_ENV_DIR=str(profile.parent),
            RANKALPHA_RUNNER="docker",
            RANKALPHA_STAGE_SLOTS=str(STAGES_AT_ONCE),
            AIRFLOW__CORE__PARALLELISM=str(parallelism),
            AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST=json.dumps(BUNDLES),
            BENCH_STAGES=str(STAGES_AT_ONCE),
            BENCH_STOCK=str(STOCK_AT_ONCE),
        )
        try:
            say(f"Starting an embedded stack with {parallelism} workers")
            if (started := stack.stack("start")).returncode:
                raise SystemExit(started.stdout)
            wait_for_airflow(stack.api)
            _wait(lambda: _parsed(stack), 1)
            yield stack
        finally:
            stack.stack("clean")


def _parsed(stack: RunningStack) -> bool:
    with suppress(AirflowApiError):
        return bool(stack.api.get("dags/bench_stock_short"))
    return False


def _fly(stack: RunningStack, engine: APIClient, dag_id: str, count: int) -> tuple[int, float]:
    """Run a DAG; return how many containers ran at once, and the memory then, in MB."""
    stack.trigger(dag_id)
    peak, memory, began = 0, 0.0, time.monotonic()

    def ended() -> bool:
        nonlocal peak, memory
        found = engine.containers(filters={"ancestor": IMAGE})
        running = len([container for container in found if container["Command"] == LONG])
        if running > peak:
            peak = running
            # reading it is work that would slow the rest down
            memory = (
                _memory(stack) if running >= count or time.monotonic() - began > MEASURED_FROM else memory
            )
        return stack.runs(dag_id)[-1]["state"] in ("success", "failed")

    _wait(ended, 1)
    if (state := stack.runs(dag_id)[-1]["state"]) != "success":
        raise SystemExit(f"{dag_id} ended with {state}")
    say(f"{dag_id}: {peak} containers at once, the stack then took {memory:.0f} MB")
    return peak, memory


def _short(stack: RunningStack) -> dict[str, list[float]]:
    """Return the seconds that the run of a stage of 1 s takes, by each way, in turns."""
    took: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(RUNS + 1):
        for way, dag_id in WAYS.items():
            stack.trigger(dag_id)
            _wait(lambda dag_id=dag_id: stack.runs(dag_id)[-1]["state"] == "success", 0.2)
            run = stack.runs(dag_id)[-1]
            begin, end = (datetime.fromisoformat(run[key]) for key in ("start_date", "end_date"))
            took[way].append((end - begin).total_seconds())
    return {way: seconds[1:] for way, seconds in took.items()}  # the first pays for imports and caches


def _memory(stack: RunningStack) -> float:
    """Return the memory of the stack in MB; what several processes share counts once."""
    total = 0
    for process in processes(stack.state):
        with suppress(psutil.NoSuchProcess):
            total += process.memory_full_info().pss
    return total / 1e6


def _wait(done: Callable[[], bool], pause: float) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not done():
        if time.monotonic() > deadline:
            raise SystemExit(f"waited in vain for {WAIT_SECONDS} s")
        time.sleep(pause)
