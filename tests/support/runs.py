"""Test runs: what one makes outside of its folder carries its mark, so that a later one removes the rest."""

import contextlib
import fcntl
import os
import subprocess
import sys
from pathlib import Path

import psutil

MARK = "TESTS_SHARED"  # a test run's folder: in the environment of its processes, and on what it makes
ALIVE = "alive"  # a file in that folder, locked for as long as the run's first process lives
DOWN = ("down",) if os.environ.get("KEEP") else ("clean", "--yes")
RANKALPHA = Path(sys.executable).with_name("rankalpha")


def begin(folder):
    """Mark this run, of which this is the first process; keep what is returned for as long as it goes on."""
    os.environ[MARK] = folder
    lock = Path(folder, ALIVE).open("w")  # noqa: SIM115  until this process ends
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def is_over(mark):
    """Whether the run of a mark has ended, however it did."""
    try:
        with Path(mark, ALIVE).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def end(mark):
    """End what a run has started and that has outlived it: commands, and embedded stacks."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.name() in ("docker", "docker-compose") and process.environ().get(MARK) == mark:
                process.kill()
    for postgres in list(Path(mark).rglob("postmaster.pid")):
        state = {"RANKALPHA_STATE_DIR": str(postgres.parents[1])}
        subprocess.run([RANKALPHA, *DOWN], env=os.environ | state, capture_output=True)
