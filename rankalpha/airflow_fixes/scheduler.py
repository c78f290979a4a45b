"""Airflow's scheduler, started without what a scheduler that was killed has left behind.

LocalExecutor's workers outlive a killed scheduler for good, and hold its connections to the database open:
PostgreSQL then keeps its transaction and the locks of it, and no run whose row was locked is ever scheduled
again (Airflow 3.3.2, 3.4.0b2). What they were running is reset by the new scheduler in any case.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

TITLE = "airflow worker"  # what LocalExecutor's workers call themselves
AIRFLOW = str(Path(sys.prefix, "bin", "airflow"))


def end_orphans() -> None:
    """Kill the workers that are left in this session, with the tasks that they run."""
    for worker in list(_workers()):
        for process in (worker, *worker.children(recursive=True)):
            with suppress(psutil.Error):
                print(f"Ending process {process.pid}, left behind by a killed scheduler", flush=True)
                process.kill()


def _workers() -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        with suppress(psutil.Error, ProcessLookupError):
            same_session = os.getsid(process.pid) == os.getsid(0)
            if same_session and " ".join(process.cmdline()).startswith(TITLE):
                yield process


if __name__ == "__main__":
    end_orphans()
    # the stack has one place for logs, so that the scheduler need not serve those of its tasks
    os.execv(AIRFLOW, [AIRFLOW, "scheduler", "--skip-serve-logs"])  # noqa: S606
