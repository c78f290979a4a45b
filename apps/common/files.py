"""Files that are either whole or absent: written to a temporary file, then moved to their place."""

import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from apps.common.stage import StageError


class NotWritten(StageError):
    """A file cannot be written; a full or read-only disk may be repaired, so another attempt can help."""

    exit_status = os.EX_IOERR


def write_atomic(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file beside `path`, flush it to disk and move it to `path` in one step.

    A reader sees the old file or the new one, never half of one. When `write` raises, `path` is unchanged
    and the temporary file is gone. Raises NotWritten, naming the file, when the disk does not take it.
    """
    try:
        _write(path, write)
    except OSError as error:
        raise not_written(path, error) from error


def not_written(path: Path, error: OSError) -> NotWritten:
    """Return the error for a path that the disk does not take."""
    fix = "free space on its disk, or make it writable"
    return NotWritten(f"{path} cannot be written: {error.strerror or error}; {fix}")


def _write(path: Path, write: Callable[[Path], object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        if not temporary.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
            temporary.chmod(0o644)  # mkstemp makes it private; other services' users must be able to read it
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def link(source: Path, target: Path) -> None:
    """Make `target` the same file as `source` in one step, or a copy where the file system allows no link."""

    def make(temporary: Path) -> None:
        temporary.unlink()
        try:
            os.link(source, temporary)
        except OSError:
            shutil.copyfile(source, temporary)

    write_atomic(target, make)


def flush(folder: Path) -> None:
    """Flush to disk which files a folder holds, where the file system can."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems cannot
            os.fsync(handle)
    finally:
        os.close(handle)


def digest(path: Path) -> str:
    """Return the SHA-256 of the file's bytes in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checksum(path: Path) -> str:
    """Return ``sha256:<hex>`` of the file's bytes."""
    return f"sha256:{digest(path)}"
