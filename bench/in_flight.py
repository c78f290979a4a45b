"""Part `in_flight`: what each stack takes while it is idle, and a stage while its container runs."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

from docker import APIClient

from bench.idle import loads, memory, roots
from bench.report import Figure, say
from bench.stack import BENCH_DAGS, OWN_DAGS, ours, wait, wait_for_dags
from bench.stock import stock
from bench.work import IMAGE, LONG, STAGES_OF_A_RUN
from rankalpha.pipeline.pipelines import PIPELINE
from tests.support.stack import Stack

STAGES_AT_ONCE = 200
STOCK_AT_ONCE = 10  # each holds two processes
WORKERS = 4  # of ours, as in the profile `local`
WAIT_SECONDS = 300
SETTLE_SECONDS = 5  # until the workers have let go of the stages that they have started
DAG = "bench_in_flight"
OURS, STOCK = "RankAlpha", "stock Airflow"
SERVICES = "API and page"
COMPONENTS = ("api-server", "scheduler", "dag-processor", "triggerer", "PostgreSQL")  # that both have


def measure() -> list[Figure]:
    """Watch each stack alone: idle, then with 200 stages at once on 4 workers, stock with 10."""
    engine = APIClient(base_url="unix:///var/run/docker.sock", version="auto")
    settings = {"RANKALPHA_RUNNER": "docker", "RANKALPHA_STAGE_SLOTS": str(STAGES_AT_ONCE)}
    with _no_containers_left(engine), ours(OWN_DAGS, BENCH_DAGS, env={}, **settings) as stack:
        wait_for_dags(stack, *PIPELINE, DAG)
        wait(lambda: stack.runs("rankalpha_watchdog", state=["success"]), WAIT_SECONDS)  # its first round
        ids = {name.removeprefix("airflow:"): [process] for name, process in stack.processes().items()}
        postgres, supervisor = roots(stack)
        ids["PostgreSQL"] = [postgres, *ids.pop("postgres")]  # with what watches it
        others = [process for name in [*ids] if name.startswith("rankalpha:") for process in ids.pop(name)]
        own_idle = _idle(OURS, ids | {SERVICES: others}, [supervisor, postgres])
        own, started = _fly(stack, engine, roots(stack), STAGES_AT_ONCE)
    with _no_containers_left(engine), stock() as stack:
        wait_for_dags(stack, DAG)
        ids = {name: [process] for name, process in stack.processes().items()}
        stock_idle = _idle(STOCK, ids, stack.roots)
        theirs, _ = _fly(stack, engine, stack.roots, STOCK_AT_ONCE)
    pairs = zip(own_idle[:2], stock_idle[:2], ("memory", "CPU"), strict=True)
    return [
        *own_idle,
        *stock_idle,
        *(
            Figure.of(f"{what} of idle {OURS} against {STOCK}", "ratio", [a.median / b.median])
            for a, b, what in pairs
        ),
        Figure.of(f"stages in flight at once with {WORKERS} workers", "stages", [STAGES_AT_ONCE]),
        Figure.of(f"until all {STAGES_AT_ONCE} of them run", "s", [started]),
        Figure.of(f"memory of a stage in flight (PSS), {OURS}", "MB", [own]),
        Figure.of(f"memory of a stage in flight (PSS), {STOCK}", "MB", [theirs]),
        Figure.of(f"memory of a stage in flight, {OURS} against {STOCK}", "ratio", [own / theirs]),
    ]


def _idle(name: str, components: dict[str, list[int]], whole: list[int]) -> list[Figure]:
    """Watch a stack and its components; the figures of the whole come first, memory before CPU."""
    say(f"Watching {name} idle")
    groups = {name: whole} | {f"{name}, {component}": ids for component, ids in components.items()}
    cores = loads(groups)  # first, so that what the start needed is done
    figures = [
        (
            Figure.of(f"memory of the idle stack (PSS), {group}", "MB", [memory(ids)]),
            Figure.of(f"CPU of the idle stack, {group}", "cores", [cores[group]]),
        )
        for group, ids in groups.items()
    ]
    return [figure for both in figures for figure in both]


def _fly(stack: Stack, engine: APIClient, ids: list[int], count: int) -> tuple[float, float]:
    """Run that many stages at once; return the MB that each takes then, and the seconds until all ran."""
    idle, began = memory(ids), time.monotonic()
    for _ in range(count // STAGES_OF_A_RUN):
        stack.trigger(DAG)
    wait(lambda: len(_running(engine)) >= count, WAIT_SECONDS, 1)
    started = time.monotonic() - began
    say(f"{count} containers run after {started:.0f} s")
    time.sleep(SETTLE_SECONDS)
    return (memory(ids) - idle) / count, started


def _running(engine: APIClient) -> list[str]:
    """Return the ids of the containers that are in flight."""
    ours = engine.containers(filters={"ancestor": IMAGE})
    return [container["Id"] for container in ours if container["Command"] == LONG]


@contextmanager
def _no_containers_left(engine: APIClient) -> Iterator[None]:
    """Remove the containers once the stack that ran them has ended."""
    try:
        yield
    finally:
        with ThreadPoolExecutor(4) as several:
            list(several.map(partial(engine.remove_container, force=True, v=True), _running(engine)))
