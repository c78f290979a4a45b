"""What a process has instead of the digest of an image: that of the code it would run."""

import shlex
import sys
from collections.abc import Iterator
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from sysconfig import get_path

from rankalpha.runners.process_environment import working_folder
from rankalpha.settings import settings
from rankalpha.stages.job import StageJob


def code(job: StageJob) -> str:
    """Return the digest of the code that a job runs.

    That is apps/, the files that the command names, and the versions of the packages of this Python. Other
    code that a command of one's own reaches is not seen.
    """
    found = sha256(_packages().encode())
    for path in sorted({*_reference(), *_named(job)}):
        found.update(f"\n{path}\n".encode())
        found.update(path.read_bytes())
    return f"sha256:{found.hexdigest()}"


def _reference() -> Iterator[Path]:
    for path in (settings().app_dir.absolute() / "apps").rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path


def _named(job: StageJob) -> Iterator[Path]:
    folder = working_folder(job)
    for word in shlex.split(job.command):
        if (path := folder / word).is_file() and path.suffix:  # not a program such as python
            yield path


@lru_cache(maxsize=1)
def _packages() -> str:
    """Return name and version of each installed package; a process lives no longer than they do."""
    folders = {get_path("purelib"), get_path("platlib")}
    found = {path.name for folder in folders for path in Path(folder).glob("*.dist-info")}
    return "\n".join([sys.version, *sorted(found)])
