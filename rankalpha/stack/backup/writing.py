"""Writes the file of a backup, which has its name once it is whole."""

import io
import json
import os
import tarfile
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO

from rankalpha.stack.backup.errors import BackupError
from rankalpha.stack.backup.form import ABOUT, END, About

LEVEL = 1  # of compression: most data are compressed already


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
