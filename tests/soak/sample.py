"""What a running stack takes: memory, threads, descriptors, connections, disk and rows, by name."""

from contextlib import suppress

import psutil

from bench.idle import memory, processes
from tests.faults.components import postmaster

MB = 1e6
# of Airflow's tables and what else is in its database
TABLES = "SELECT relname::text FROM pg_stat_user_tables"


def sample(stack):
    """Return each quantity of the stack by its name."""
    parts = {**stack.processes(), "PostgreSQL": postmaster(stack)}
    values = {}
    for part, process_id in parts.items():
        if part == "postgres":  # what watches PostgreSQL
            continue
        group = processes([process_id])
        values[f"memory, {part}, MB"] = memory([process_id])
        values[f"threads, {part}"] = sum(_counts(group, psutil.Process.num_threads))
        values[f"file descriptors, {part}"] = sum(_counts(group, psutil.Process.num_fds))
    (connections,) = stack.query(
        "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
    )
    values["connections"] = connections
    tables = stack.query(TABLES)
    counts = " UNION ALL ".join(f"SELECT '{name} ' || count(*) FROM \"{name}\"" for name in tables)
    values |= {f"rows, {row.split()[0]}": int(row.split()[1]) for row in stack.query(counts)}
    (size,) = stack.query("SELECT pg_database_size(current_database())")
    values["disk, database"] = size / MB
    folders = [path for path in stack.state.iterdir() if path.is_dir() and path.name != "postgres"]
    return values | {f"disk, {folder.name}": _disk(folder) for folder in folders}


def _counts(group, count):
    for process in group:
        with suppress(psutil.Error):
            yield count(process)


def _disk(folder):
    """Return the MB of the files below a folder; what vanishes meanwhile counts nothing."""
    found = {}
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            status = path.lstat()
            found[status.st_ino] = status.st_blocks * 512
    return sum(found.values()) / MB
