"""Finds and ends processes of the embedded stack that have outlived its supervisor."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil


def end_processes(state: Path, *, stages: bool) -> None:
    """End the processes of the stack with that state; `stages` ends its stages too."""
    leftovers = list(_processes_of(state, stages=stages))
    for process in leftovers:
        with suppress(psutil.Error):
            process.terminate()
    for process in psutil.wait_procs(leftovers, timeout=10)[1]:
        with suppress(psutil.Error):
            process.kill()


def _processes_of(state: Path, *, stages: bool) -> Iterator[psutil.Process]:
    own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            environment = process.environ()
            of_stack = environment.get("RANKALPHA_STACK") == str(state)
            wanted = stages or "RANKALPHA_BATCH" not in environment
            if of_stack and wanted and process.pid not in own:
                yield process
