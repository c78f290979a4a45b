"""What an embedded stack takes while it has nothing to do."""

import time
from pathlib import Path

import psutil

from bench.report import Figure

SECONDS = 60  # watched; twice the time after which Airflow parses DAG files again


def figures(state: Path) -> list[Figure]:
    """Watch the stack of a state folder; what several processes share counts once in its memory."""
    memory = sum(process.memory_full_info().pss for process in processes(state)) / 1e6
    start, before = time.monotonic(), _cpu_seconds(state)
    time.sleep(SECONDS)
    load = (_cpu_seconds(state) - before) / (time.monotonic() - start)
    return [
        Figure.of("memory of the idle stack (PSS)", "MB", [memory]),
        Figure.of("CPU of the idle stack", "cores", [load]),
    ]


def _cpu_seconds(state: Path) -> float:
    return sum(sum(process.cpu_times()[:4]) for process in processes(state))  # with their ended children


def processes(state: Path) -> set[psutil.Process]:
    """Return PostgreSQL, the supervisor and their descendants.

    Their environment does not tell: Airflow and PostgreSQL overwrite it with their titles.
    """
    files = (state / "supervisord.pid", state / "postgres" / "postmaster.pid")
    roots = [psutil.Process(int(file.read_text().split()[0])) for file in files]
    return {process for root in roots for process in (root, *root.children(recursive=True))}
