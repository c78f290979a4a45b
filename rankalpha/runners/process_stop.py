"""Stops a process with its children: it is asked first, and killed when its time is over."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress

from rankalpha.runners.base import GRACE_SECONDS


def stop_group(pid: int, running: Callable[[], bool]) -> None:
    """Stop the process group `pid`, if it is `running`; 0 is a process that never began."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if not pid or not running():
            return
        with suppress(ProcessLookupError):
            os.killpg(pid, number)
        deadline = time.monotonic() + GRACE_SECONDS
        while running() and time.monotonic() < deadline:
            time.sleep(0.02)
