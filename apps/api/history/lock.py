"""One writer of a market's record at a time, whether a thread or another process of the API."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from apps.api.history.faults import Busy
from apps.api.history.folder import folder_of

POLL = 0.02  # seconds between two attempts


@contextmanager
def alone(root: Path, seconds: float) -> Iterator[None]:
    """Keep others from writing the record; what a killed one has left is removed.

    Raises Busy when another one does not end within so many seconds.
    """
    folder = folder_of(root)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        until = time.monotonic() + seconds
        while not _locked(lock.fileno()):
            if time.monotonic() > until:
                raise Busy(folder)
            time.sleep(POLL)
        for left in folder.glob(".*.parquet.*"):
            left.unlink(missing_ok=True)
        yield


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks has one API
        return True
    return True
