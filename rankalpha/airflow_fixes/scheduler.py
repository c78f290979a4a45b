"""Starts Airflow's scheduler after ending the workers that a killed scheduler has left behind.

In Airflow 3.3.2 and 3.4.0b2 LocalExecutor's workers outlive a killed scheduler for good and hold its
connections to the database open. PostgreSQL then keeps the open transaction with its locks, and no run whose
row was locked is ever scheduled again. The new scheduler resets the tasks of these workers in any case.
"""

import os
import runpy
import sys
from collections.abc import Iterator
from contextlib import suppress

import psutil

from rankalpha.airflow_fixes.fix import AbsentError, Fix, part

TITLE = "airflow worker"  # what LocalExecutor's workers call themselves


def end_orphans() -> None:
    """Kill the orphaned workers of this session, with the tasks that they run."""
    for worker in list(_workers()):
        for process in (worker, *worker.children(recursive=True)):
            with suppress(psutil.Error):
                print(f"Ending process {process.pid}, which a killed scheduler has left behind", flush=True)
                process.kill()


def _workers() -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        with suppress(psutil.Error, ProcessLookupError):
            same_session = os.getsid(process.pid) == os.getsid(0)
            if same_session and " ".join(process.cmdline()).startswith(TITLE):
                yield process


def check_title() -> None:
    """Raise AbsentError when the workers of this Airflow call themselves something else.

    The executor asks this in the scheduler's process, because loading Airflow here would delay its start.
    """
    title = part("airflow.executors.local_executor", "_get_executor_process_title_prefix")("")
    if not str(title).startswith(TITLE):
        raise AbsentError(f"LocalExecutor's workers are called {title!r}, not {TITLE!r}")


FIX = Fix(name="scheduler", versions="3.3.2", apply=check_title)

if __name__ == "__main__":
    end_orphans()
    # the stack has one place for logs, so that the scheduler need not serve those of its tasks
    sys.argv = ["airflow", "scheduler", "--skip-serve-logs"]
    runpy.run_module("airflow", run_name="__main__", alter_sys=True)
