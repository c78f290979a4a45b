"""Part `in_flight`: what each stack takes while it is idle, and a stage while its container runs."""

import time

from docker import APIClient

from bench.idle import loads, memory, roots
from bench.report import Figure, say
from bench.stack import BENCH_DAGS, OWN_DAGS, ours, wait, wait_for_dags
from bench.stock import stock
from bench.work import IMAGE, LONG
from rankalpha.pipeline import PIPELINE
from tests.support.stack import Stack

STAGES_AT_ONCE = 200
STOCK_AT_ONCE = 20  # each holds two processes
WORKERS = 4  # of ours, as in the profile `local`
WAIT_SECONDS = 300
MEASURED_FROM = 50  # seconds after the trigger; reading memory is work that would slow the start down
DAG = "bench_in_flight"
OURS, STOCK = "RankAlpha", "stock Airflow"


def measure() -> list[Figure]:
    """Watch each stack alone: idle, then with 200 stages of 60 s at once on 4 workers, stock with 20."""
    engine = APIClient(base_url="unix:///var/run/docker.sock", version="auto")
    many, some = str(STAGES_AT_ONCE), str(STOCK_AT_ONCE)
    settings = {"RANKALPHA_RUNNER": "docker", "RANKALPHA_STAGE_SLOTS": many, "BENCH_STAGES": many}
    with ours(OWN_DAGS, BENCH_DAGS, env={}, **settings) as stack:
        wait_for_dags(stack, *PIPELINE, DAG)
        own_idle = _idle(OURS, roots(stack))
        peak, own = _fly(stack, engine, roots(stack), STAGES_AT_ONCE)
    with stock(BENCH_STAGES=some) as stack:
        wait_for_dags(stack, DAG)
        stock_idle = _idle(STOCK, stack.roots)
        _, theirs = _fly(stack, engine, stack.roots, STOCK_AT_ONCE)
    pairs = zip(own_idle, stock_idle, ("memory", "CPU"), strict=True)
    return [
        *own_idle,
        *stock_idle,
        *(
            Figure.of(f"{what} of idle {OURS} against {STOCK}", "ratio", [a.median / b.median])
            for a, b, what in pairs
        ),
        Figure.of(f"stages of 60 s in flight at once, of {many}, with {WORKERS} workers", "stages", [peak]),
        Figure.of(f"memory of a stage in flight (PSS), {OURS}", "MB", [own]),
        Figure.of(f"memory of a stage in flight (PSS), {STOCK}", "MB", [theirs]),
        Figure.of(f"memory of a stage in flight, {OURS} against {STOCK}", "ratio", [own / theirs]),
    ]


def _idle(name: str, ids: list[int]) -> list[Figure]:
    say(f"Watching {name} idle")
    cores = loads({name: ids})[name]  # first, so that what the start needed is done
    return [
        Figure.of(f"memory of the idle stack (PSS), {name}", "MB", [memory(ids)]),
        Figure.of(f"CPU of the idle stack, {name}", "cores", [cores]),
    ]


def _fly(stack: Stack, engine: APIClient, ids: list[int], count: int) -> tuple[int, float]:
    """Run many stages; return how many containers ran at once at most, and the memory of each then, in MB."""
    idle = memory(ids)
    stack.trigger(DAG)
    peak, taken, began = 0, 0.0, time.monotonic()

    def ended() -> bool:
        nonlocal peak, taken
        found = engine.containers(filters={"ancestor": IMAGE})
        running = len([container for container in found if container["Command"] == LONG])
        late = time.monotonic() - began > MEASURED_FROM
        if running > peak:
            peak = running
            if running >= count or late:
                taken = (memory(ids) - idle) / running
        return stack.runs(DAG)[-1]["state"] in ("success", "failed")

    wait(ended, WAIT_SECONDS, 1)
    if (state := stack.runs(DAG)[-1]["state"]) != "success":
        raise SystemExit(f"{DAG} ended with {state}")
    say(f"{peak} containers at once, {taken:.1f} MB each")
    return peak, taken
