"""The folder of a process: its files, and what they say about the process."""

import fcntl
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from rankalpha.runners.container import Container
from rankalpha.runners.failures import ContainerGone
from rankalpha.runners.identity import is_set_aside


def container_of(path: Path) -> Container:
    """Return the process of a folder as it is now."""
    described = description(path)
    running = locked(path / "lock")  # first, so that the files hold what happens meanwhile
    started, ended = read(path / "started.json"), read(path / "exit.json")
    if started and not ended:  # started just now, or ended just now, or its shim was killed
        running = locked(path / "lock")
        ended = read(path / "exit.json")
        if not running and not ended:
            ended = {"status": None, "time": datetime.now(UTC).isoformat()}
    return Container(
        id=described["id"],
        name=path.name,
        labels=described["labels"],
        running=running and not ended,
        created=datetime.fromisoformat(described["created"]),
        started=_moment(started),
        ended=_moment(ended),
        status=ended.get("status"),
        set_aside=is_set_aside(path.name),
        image=described.get("image", ""),  # missing in the folder of an older version
        usage=ended.get("usage"),
    )


def read(path: Path) -> dict[str, Any]:
    """Return the object in a file; an empty one when the file does not exist."""
    with suppress(FileNotFoundError):
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return content
    return {}


def description(path: Path) -> dict[str, Any]:
    """Return what the process was created with; ContainerGone when the folder is being removed."""
    if created := read(path / "container.json"):
        return created
    raise ContainerGone(f"process {path.name} no longer exists")


def taken(lock: IO[str], started: Path, seconds: float) -> bool:
    """Take the lock, unless somebody else starts the process; `locked` holds it for a moment too."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if started.exists() or time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        else:
            return not started.exists()


def locked(path: Path) -> bool:
    """Return whether the shim or the process is alive."""
    with suppress(FileNotFoundError), path.open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _moment(event: Mapping[str, Any]) -> datetime | None:
    return datetime.fromisoformat(event["time"]) if event else None
