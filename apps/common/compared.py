"""Whether what was compared is what was read: a file may be written between the two."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from apps.common.stage import BadData

Marks = tuple[int, ...]
_COMPARED: ContextVar[dict[Path, Marks] | None] = ContextVar("compared", default=None)


@contextmanager
def unchanged() -> Iterator[None]:
    """Raise BadData at the end when a file that was compared in here (`note`) was written since.

    One that was removed since, as old batches are, was read before, or its reader has failed.
    """
    compared: dict[Path, Marks] = {}
    token = _COMPARED.set(compared)
    try:
        yield
    finally:
        _COMPARED.reset(token)
    for path, before in compared.items():
        if marks(path) not in (before, ()):
            raise BadData(
                f"{path}: it was changed while it was read, so nothing is made of it; "
                "find out who writes there, then clear the task"
            )


def note(path: Path) -> None:
    """Remember how a file is before its bytes are compared."""
    if (compared := _COMPARED.get()) is not None:
        compared.setdefault(path, marks(path))


def marks(path: Path) -> Marks:
    """Return what differs once a file is written or replaced; empty for a file that is not there."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
