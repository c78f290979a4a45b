"""Reads the file of a backup."""

import json
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import IO, Any

from packaging.version import Version

from rankalpha.stack.backup.errors import BackupError
from rankalpha.stack.backup.form import ABOUT, DATA, DUMP, END, FORMAT, About, Contents

CHUNK = 1 << 20
BROKEN = (tarfile.TarError, EOFError, zlib.error, OSError, ValueError, TypeError, LookupError)


def contents(file: Path) -> Contents:
    """Read a whole backup; BackupError when it is not one, is not whole, or is of a newer version."""
    try:
        with tarfile.open(file, "r:gz") as tar:
            about = _about(file, tar)
            members = [_safe(member.name) for member in tar]
            while tar.fileobj and tar.fileobj.read(CHUNK):
                pass  # up to the checksum at the end
    except FileNotFoundError as error:
        raise BackupError(f"{file} does not exist") from error
    except BROKEN as error:
        raise BackupError(f"{file} is damaged, or is not a backup of RankAlpha: {error}") from error
    if members[-1:] != [END] or DUMP not in members:
        raise BackupError(f"{file} is not whole: its end is missing; copy it again, or take another backup")
    below = (PurePosixPath(name).parts for name in members)
    folders = {parts[1] for parts in below if parts[0] == DATA and len(parts) > 1}
    return Contents(about, frozenset(members), frozenset(folders))


def _about(file: Path, tar: tarfile.TarFile) -> About:
    first = tar.next()
    if first is None or first.name != ABOUT:
        raise BackupError(f"{file} is not a backup of RankAlpha: it does not begin with {ABOUT}")
    described: dict[str, Any] = json.load(_opened(tar, first))
    newer = [
        f"{name} {described[key]}, here {own}"
        for name, key, own in (
            ("format", "format", FORMAT),
            ("RankAlpha", "rankalpha", About.rankalpha),
            ("Airflow", "airflow", About.airflow),
        )
        if Version(str(described[key])) > Version(str(own))
    ]
    if newer:
        raise BackupError(
            f"{file} was made by a newer version ({'; '.join(newer)}); "
            "take that version of this repository, then restore it"
        )
    return About(**described)


def _safe(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"it holds {name!r}, which leads out of it")
    return name


def _opened(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = tar.extractfile(member)
    if content is None:
        raise ValueError(f"{member.name} is not a file")
    return content


def copy_member(file: Path, name: str, into: IO[bytes]) -> None:
    """Write what a member of a whole backup holds into an open file, and go to its beginning."""
    with tarfile.open(file, "r:gz") as tar:
        content = _opened(tar, next(member for member in tar if member.name == name))
        while chunk := content.read(CHUNK):
            into.write(chunk)
    into.seek(0)


def extract_data(file: Path, folder: Path, staged: Mapping[str, str], default: str) -> None:
    """Extract the data of a whole backup below `folder`, each folder of it where `staged` or `default` says.

    Owners, modes, times and hard links are as they were.
    """

    def moved(name: str) -> str:
        parts = PurePosixPath(name).parts[1:]
        return str(PurePosixPath(staged.get(parts[0], f"{default}/{parts[0]}"), *parts[1:]))

    def members(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
        for member in tar:
            if member.name.startswith(f"{DATA}/"):
                link = moved(member.linkname) if member.islnk() else member.linkname
                yield member.replace(name=moved(member.name), linkname=link, deep=False)

    with tarfile.open(file, "r:gz") as tar:
        # its names were checked; the default of Python 3.14 would forget the owners
        tar.extraction_filter = lambda member, _path: member
        tar.extractall(folder, members(tar), numeric_owner=True)  # noqa: S202
