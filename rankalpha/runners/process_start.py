"""Starts a process once, by a shim that outlives what starts it."""

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from rankalpha.runners import container_log
from rankalpha.runners.process_folder import locked, read, taken

SHIM = Path(__file__).with_name("process_shim.py")
START_SECONDS = 10


def start_once(folder: Path, command: Sequence[str], env: Mapping[str, str]) -> None:
    """Start the process of a folder, unless it was started; when several start it at once, the lock decides.

    `command` is the working folder, and then the words of the command.
    """
    started = folder / "started.json"
    with (folder / "lock").open("w") as lock:
        if not taken(lock, started, START_SECONDS):
            return
        most = str(int(container_log.MEGABYTES * 1_000_000))
        shim = subprocess.Popen(
            [sys.executable, "-I", SHIM, str(lock.fileno()), most, *command],
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # not stopped with what started it
            pass_fds=[lock.fileno()],
        )
    deadline = time.monotonic() + START_SECONDS
    while not started.exists() and time.monotonic() < deadline and shim.poll() is None:
        time.sleep(0.01)


def pid_of(folder: Path) -> int:
    """Return the process id, also of a process that is just being started; 0 without one."""
    deadline = time.monotonic() + START_SECONDS
    while not (started := read(folder / "started.json")) and time.monotonic() < deadline:
        if not locked(folder / "lock"):
            return 0
        time.sleep(0.01)
    return int(started.get("pid", 0))
