"""The folder of a market's record, and who may write in it."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from apps.api.history.months import Month


def folder_of(root: Path) -> Path:
    """Return the folder of a market's record."""
    return root / "grades" / "history"


def months(root: Path) -> list[Month]:
    """Return the files of a market's record, oldest first."""
    return [Month(path) for path in sorted(folder_of(root).glob("????-??.parquet"))]


def month_of(root: Path, batch: str) -> Month:
    """Return the file that holds a batch, or would."""
    return Month(folder_of(root) / f"{batch[:7]}.parquet")


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """Keep other processes and threads from writing the record; what a killed one has left is removed."""
    folder = folder_of(root)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        with suppress(OSError):  # a file system without locks has one API
            fcntl.flock(lock, fcntl.LOCK_EX)
        for left in folder.glob(".*.parquet.*"):
            left.unlink(missing_ok=True)
        yield
