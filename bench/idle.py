"""What a stack takes while it has nothing to do."""

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

import psutil

from tests.support.embedded_stack import RunningStack

SECONDS = 30  # watched; in that time Airflow parses each DAG file once


def roots(stack: RunningStack) -> list[int]:
    """Return the ids of PostgreSQL and the supervisor, whose descendants the stack's other processes are.

    Their environment cannot identify all of them: PostgreSQL overwrites it with its titles.
    """
    files = (stack.state / "postgres" / "postmaster.pid", stack.state / "supervisord.pid")
    return [int(file.read_text().split()[0]) for file in files]


def processes(ids: Iterable[int]) -> set[psutil.Process]:
    """Return the processes of the ids and their descendants."""
    roots = [psutil.Process(process_id) for process_id in ids]
    return {process for root in roots for process in (root, *root.children(recursive=True))}


def memory(ids: Iterable[int]) -> float:
    """Return the memory of the processes and their descendants in MB; shared memory counts once."""
    total = 0
    for process in processes(ids):
        with suppress(psutil.NoSuchProcess):
            total += process.memory_full_info().pss
    return total / 1e6


def loads(groups: Mapping[str, Sequence[int]], seconds: float = SECONDS) -> dict[str, float]:
    """Watch groups of processes, with their descendants, for a while; return how many cores each uses."""
    before = {name: (time.monotonic(), _cpu_seconds(ids)) for name, ids in groups.items()}
    time.sleep(seconds)
    now = {name: (time.monotonic(), _cpu_seconds(ids)) for name, ids in groups.items()}
    return {name: (now[name][1] - cpu) / (now[name][0] - start) for name, (start, cpu) in before.items()}


def _cpu_seconds(ids: Iterable[int]) -> float:
    return sum(sum(process.cpu_times()[:4]) for process in processes(ids))  # with their ended children
