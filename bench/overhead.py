"""Part `overhead`: what each contender adds to the same four containers, in turns on one Docker engine.

All run all the time, idle but for the batch in turn, so that all contenders are disturbed alike.
RankAlpha's stack has no DAGs but those of `dags/ours`: its watchdog belongs to no batch. Prefect takes part
when it can be installed.
"""

import json
import time
from collections.abc import Callable, Container
from dataclasses import asdict
from statistics import median

from docker import APIClient

from bench.batches import Batch, by_airflow, by_docker
from bench.prefect_server import by_prefect, prefect
from bench.report import LATEST, Figure, say
from bench.stack import BENCH_DAGS, OWN_DAGS, ours, wait_for_dags
from bench.stock import stock
from bench.work import SECONDS

ROUNDS = 4  # the first pays for imports and caches, and does not count
PAUSE = 0.5  # seconds after a batch, for what its tasks do when it has ended
RUNS = LATEST.with_name("overhead.json")
FLOOR = "docker run"
CLASSIC, PLAIN = "stock Airflow, one DAG", "stock Airflow, four DAGs"
OURS, AT_ONCE = "RankAlpha", "RankAlpha, deferred at once"  # stages as short as these are not, by default
PREFECT = "Prefect, one flow"
DAGS = {
    CLASSIC: ["classic"],
    PLAIN: [f"plain_{name}" for name in SECONDS],
    OURS: [f"ours_{name}" for name in SECONDS],
    AT_ONCE: [f"at_once_{name}" for name in SECONDS],
}


def measure() -> list[Figure]:
    """Run a batch by each contender in each round, each time beginning with another contender."""
    engine = APIClient(base_url="unix:///var/run/docker.sock", version="auto")
    own_stack = ours(OWN_DAGS, BENCH_DAGS, env={}, RANKALPHA_RUNNER="docker")
    with prefect() as server, stock() as theirs, own_stack as own:
        stacks = {CLASSIC: theirs, PLAIN: theirs, OURS: own, AT_ONCE: own}
        for name, dags in DAGS.items():
            wait_for_dags(stacks[name], *dags)
        ways: dict[str, Callable[[], Batch]] = {FLOOR: lambda: by_docker(engine)}
        for name, dags in DAGS.items():
            ways[name] = lambda name=name, dags=dags: by_airflow(engine, stacks[name], dags)
        if server:
            ways[PREFECT] = lambda: by_prefect(engine, server)
        batches = [_round(ways, number) for number in range(ROUNDS)][1:]
    RUNS.write_text(
        json.dumps([{k: asdict(v) for k, v in batch.items()} for batch in batches], indent=1) + "\n"
    )
    return figures(batches)


def _round(ways: dict[str, Callable[[], Batch]], number: int) -> dict[str, Batch]:
    order = [*ways][number % len(ways) :] + [*ways][: number % len(ways)]
    batches = {}
    for name in order:
        batches[name] = ways[name]()
        time.sleep(PAUSE)
    say(
        f"Round {number + 1} of {ROUNDS}: "
        + ", ".join(f"{name} {batches[name].seconds:.2f} s" for name in ways)
    )
    return batches


def contenders(measured: Container[str]) -> list[str]:
    """Return the contenders beside the floor in the order of the charts, Prefect if it was measured."""
    return [name for name in (PREFECT, *DAGS) if name in DAGS or name in measured]


def figures(rounds: list[dict[str, Batch]]) -> list[Figure]:
    """Return the figures of each contender, then ours against those of stock Airflow."""
    floor = median(batches[FLOOR].seconds for batches in rounds)
    names = contenders(rounds[0])
    over = {name: [batches[name].seconds - floor for batches in rounds] for name in names}
    gaps = {name: [gap for batches in rounds for gap in batches[name].gaps] for name in DAGS}
    return [
        *(
            Figure.of(f"batch, {name}", "s", [batches[name].seconds for batches in rounds])
            for name in (FLOOR, *names)
        ),
        *(Figure.of(f"over the floor, {name}", "s", seconds) for name, seconds in over.items()),
        *(Figure.of(f"event to start, {name}", "s", seconds) for name, seconds in gaps.items() if seconds),
        *(
            _ratio(f"over the floor, {name} against {than}", over[name], over[than])
            for name in (OURS, AT_ONCE)
            for than in (CLASSIC, PLAIN, PREFECT)
            if than in over
        ),
        _ratio(f"event to start, {OURS} against {PLAIN}", gaps[OURS], gaps[PLAIN]),
    ]


def _ratio(name: str, own: list[float], theirs: list[float]) -> Figure:
    return Figure.of(name, "ratio", [a / b for a, b in zip(own, theirs, strict=True)])
