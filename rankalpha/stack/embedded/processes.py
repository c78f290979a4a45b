"""Finds and ends processes of the embedded stack that have outlived its supervisor."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

from rankalpha.stack.embedded.layout import ROOT


def end_processes(state: Path, *, session: int, stages: bool) -> None:
    """End the processes of the stack with that state and that supervisor; `stages` ends its stages too."""
    leftovers = list(_processes_of(state, session=session, stages=stages))
    for process in leftovers:
        with suppress(psutil.Error):
            process.terminate()
    for process in psutil.wait_procs(leftovers, timeout=10)[1]:
        with suppress(psutil.Error):
            process.kill()


def _processes_of(state: Path, *, session: int, stages: bool) -> Iterator[psutil.Process]:
    """Yield the stack's processes: stages by their environment, Airflow by the supervisor's session.

    Airflow's processes overwrite their environment with their title. After a reboot another program may have
    the session's number, so the working folder must be ours too.
    """
    own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            environment = process.environ()
            of_session = session and os.getsid(process.pid) == session and process.cwd() == str(ROOT)
            of_stack = of_session or environment.get("RANKALPHA_STACK") == str(state)
            wanted = stages or "RANKALPHA_BATCH" not in environment
            if of_stack and wanted and process.pid not in own:
                yield process
