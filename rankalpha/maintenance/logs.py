"""Removes old logs of tasks and of the DAG processor, which Airflow keeps for ever."""

import errno
import logging
import os
import stat
import time
from collections import Counter
from pathlib import Path
from typing import Literal

from airflow.sdk import conf

from rankalpha.settings import settings
from rankalpha.texts import count

log = logging.getLogger(__name__)

DAY = 24 * 3600  # seconds
IN_USE = (errno.ENOENT, errno.ENOTEMPTY)  # another process has removed it, or has just written into it

Kind = Literal["file", "folder"]


def prune_logs() -> None:
    """Remove logs older than RANKALPHA_KEEP_LOG_DAYS from the folder that this worker writes to."""
    if not (days := settings().keep_log_days):
        log.info("RANKALPHA_KEEP_LOG_DAYS=0: all logs are kept")
        return
    folder = conf.get_mandatory_value("logging", "base_log_folder")
    removed = prune_folder(Path(folder), time.time() - days * DAY)
    counts = [count(removed[kind], kind) for kind in ("file", "folder")]
    log.info("Removed from %s what is older than %s: %s", folder, count(days, "day"), ", ".join(counts))


def prune_folder(root: Path, before: float) -> Counter[Kind]:
    """Remove what is older than `before` (seconds since 1970) from below `root`; return the numbers removed.

    The age of a file is the time since it was last written. A folder that this empties goes too. A link
    counts as a file; its target stays. A younger empty folder stays, because a process may be about to write
    into it. What cannot be removed stays, with a warning. Raises FileNotFoundError without `root`.
    """
    removed: Counter[Kind] = Counter()
    emptied: set[Path] = set()
    # entries are reached through the descriptor of their folder, so that no link leads elsewhere
    for name, folders, files, descriptor in os.fwalk(root.resolve(), topdown=False, onerror=_warn):
        for entry in (*folders, *files):
            path = Path(name, entry)
            try:
                kind = _remove(entry, descriptor, before, emptied=path in emptied)
            except OSError as error:
                _warn(error)
            else:
                if kind:
                    removed[kind] += 1
                    emptied.add(path.parent)
    return removed


def _remove(name: str, folder: int, before: float, *, emptied: bool) -> Kind | None:
    """Remove an entry of an open folder if it is old; return its kind, None if it stays."""
    status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    old = status.st_mtime < before
    if stat.S_ISDIR(status.st_mode):
        if old or emptied:
            os.rmdir(name, dir_fd=folder)
            return "folder"
    elif old:
        os.unlink(name, dir_fd=folder)
        return "file"
    return None


def _warn(error: OSError) -> None:
    if error.errno not in IN_USE:
        log.warning("cannot prune: %s", error)
