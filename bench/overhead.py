"""Part `overhead`: what each contender adds to the same four containers, in turns on one Docker engine.

Both stacks run all the time, idle but for the batch in turn, so that all contenders are disturbed alike.
RankAlpha's stack has no DAGs but those of `dags/ours`: its watchdog belongs to no batch.
"""

import json
import time
from collections.abc import Callable
from dataclasses import asdict
from statistics import median

from docker import APIClient

from bench.batches import Batch, by_airflow, by_docker
from bench.report import LATEST, Figure, say
from bench.stack import BENCH_DAGS, OWN_DAGS, ours, wait_for_dags
from bench.stock import stock
from bench.work import SECONDS

ROUNDS = 5  # the first pays for imports and caches, and does not count
PAUSE = 0.5  # seconds after a batch, for what its tasks do when it has ended
RUNS = LATEST.with_name("overhead.json")
FLOOR = "docker run"
CLASSIC, PLAIN = "stock Airflow, one DAG", "stock Airflow, four DAGs"
OURS, AT_ONCE = "RankAlpha", "RankAlpha, deferred at once"  # stages as short as these are not, by default
DAGS = {
    CLASSIC: ["classic"],
    PLAIN: [f"plain_{name}" for name in SECONDS],
    OURS: [f"ours_{name}" for name in SECONDS],
    AT_ONCE: [f"at_once_{name}" for name in SECONDS],
}


def measure() -> list[Figure]:
    """Run a batch by each contender in each round, each time beginning with another contender."""
    engine = APIClient(base_url="unix:///var/run/docker.sock", version="auto")
    with stock() as theirs, ours(OWN_DAGS, BENCH_DAGS, env={}, RANKALPHA_RUNNER="docker") as own:
        stacks = {CLASSIC: theirs, PLAIN: theirs, OURS: own, AT_ONCE: own}
        for name, dags in DAGS.items():
            wait_for_dags(stacks[name], *dags)
        ways: dict[str, Callable[[], Batch]] = {FLOOR: lambda: by_docker(engine)}
        for name, dags in DAGS.items():
            ways[name] = lambda name=name, dags=dags: by_airflow(engine, stacks[name], dags)
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


def figures(rounds: list[dict[str, Batch]]) -> list[Figure]:
    """Return the figures of each contender, then ours against those of stock Airflow."""
    floor = median(batches[FLOOR].seconds for batches in rounds)
    over = {name: [batches[name].seconds - floor for batches in rounds] for name in DAGS}
    gaps = {name: [gap for batches in rounds for gap in batches[name].gaps] for name in DAGS}
    return [
        *(
            Figure.of(f"batch, {name}", "s", [batches[name].seconds for batches in rounds])
            for name in (FLOOR, *DAGS)
        ),
        *(Figure.of(f"over the floor, {name}", "s", seconds) for name, seconds in over.items()),
        *(Figure.of(f"event to start, {name}", "s", seconds) for name, seconds in gaps.items() if seconds),
        *(
            _ratio(f"over the floor, {name} against {than}", over[name], over[than])
            for name in (OURS, AT_ONCE)
            for than in (CLASSIC, PLAIN)
        ),
        _ratio(f"event to start, {OURS} against {PLAIN}", gaps[OURS], gaps[PLAIN]),
    ]


def _ratio(name: str, own: list[float], theirs: list[float]) -> Figure:
    return Figure.of(name, "ratio", [a / b for a, b in zip(own, theirs, strict=True)])
