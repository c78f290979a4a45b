"""The file of a backup: a compressed tar whose first member describes it and whose last one ends it."""

import io
import json
import os
import tarfile
import time
import zlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import IO, Any

from packaging.version import Version

from rankalpha.stack.backup.errors import BackupError

FORMAT = 1
ABOUT, KEYS, DUMP, DATA, END = "about.json", "keys.env", "database.sql", "data", "end"
LEVEL = 1  # of compression: most data are compressed already
CHUNK = 1 << 20
BROKEN = (tarfile.TarError, EOFError, zlib.error, OSError, ValueError, TypeError, LookupError)


@dataclass(frozen=True)
class About:
    """What a backup says of itself."""

    stack: str  # the kind that it was made of: embedded or containers
    made: str  # UTC
    fernet: list[str]  # fingerprints of the keys that its secrets need
    rankalpha: str = version("rankalpha-orchestration")
    airflow: str = version("apache-airflow")
    format: int = FORMAT


@dataclass(frozen=True)
class Contents:
    """What a whole backup holds."""

    about: About
    members: frozenset[str]
    folders: frozenset[str]  # those directly below its data


class Writer:
    """Adds members to a backup that is being made."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar

    def text(self, name: str, text: str) -> None:
        """Add a text."""
        self.file(name, io.BytesIO(text.encode()))

    def file(self, name: str, content: IO[bytes]) -> None:
        """Add what an open file holds."""
        info = tarfile.TarInfo(name)
        info.mode, info.mtime, info.size = 0o600, time.time(), content.seek(0, os.SEEK_END)
        content.seek(0)
        self._tar.addfile(info, content)

    def tree(self, path: Path, name: str, skip: Collection[str]) -> None:
        """Add a file, or a folder with what is in it but for some names; what goes meanwhile is left out."""
        with suppress(FileNotFoundError):
            if path.is_file() and not path.is_symlink():
                self._content(path, name)
            elif info := self._tar.gettarinfo(path, name):  # nothing for a socket
                self._tar.addfile(info)
                for child in sorted(path.iterdir()) if info.isdir() else ():
                    if child.name not in skip:
                        self.tree(child, f"{name}/{child.name}", skip)

    def _content(self, path: Path, name: str) -> None:
        with path.open("rb") as content:  # one version of it, also if it is replaced meanwhile
            try:
                self._tar.addfile(self._tar.gettarinfo(arcname=name, fileobj=content), content)
            except OSError as error:
                if error.errno is None:  # the tar's own complaint
                    raise BackupError(
                        f"{path} became shorter while it was read; make the backup again"
                    ) from error
                raise


@contextmanager
def written(file: Path, about: About) -> Iterator[Writer]:
    """Make a backup that only its owner can read; it has its name once it is whole.

    Raises BackupError when it cannot be written, and leaves nothing then.
    """
    part = file.with_name(f"{file.name}.part")
    if file.exists():
        raise BackupError(f"{file} exists already; name another file, or remove it")
    try:
        part.unlink(missing_ok=True)  # of a backup that was interrupted
        with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as output:
            with tarfile.open(fileobj=output, mode="w:gz", compresslevel=LEVEL) as tar:
                writer = Writer(tar)
                writer.text(ABOUT, json.dumps(asdict(about)))
                yield writer
                writer.text(END, "")
            output.flush()
            os.fsync(output.fileno())
        part.rename(file)
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        raise BackupError(
            f"cannot write {file}:{where} {error.strerror or error}; nothing is left of it"
        ) from error
    finally:
        part.unlink(missing_ok=True)


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
    told: dict[str, Any] = json.load(_opened(tar, first))
    newer = [
        f"{name} {told[key]}, here {own}"
        for name, key, own in (
            ("format", "format", FORMAT),
            ("RankAlpha", "rankalpha", About.rankalpha),
            ("Airflow", "airflow", About.airflow),
        )
        if Version(str(told[key])) > Version(str(own))
    ]
    if newer:
        raise BackupError(
            f"{file} was made by a newer version ({'; '.join(newer)}); "
            "take that version of this repository, then restore it"
        )
    return About(**told)


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
