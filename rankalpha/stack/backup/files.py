"""The data folders of a stack: what a restore brings lies beside what is there until all of it has come."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from rankalpha.stack.backup.errors import BackupError
from rankalpha.stack.backup.form import DATA
from rankalpha.stack.backup.reading import extract_data
from rankalpha.stack.backup.writing import Writer

NEW, OLD = ".restoring", ".replaced"  # folders in a folder of data
OURS = {NEW, OLD}


@dataclass(frozen=True)
class Data:
    """The data below a folder; `volumes_only` where nothing else than the volumes mounted there lasts."""

    folder: Path
    volumes_only: bool = False

    @property
    def volumes(self) -> list[Path]:
        """What is mounted directly below the folder."""
        return [path for path in _contents(self.folder) if os.path.ismount(path)]

    @property
    def _parts(self) -> list[Path]:
        """The folders whose contents are replaced, each on a file system of its own."""
        return [*self.volumes, *([] if self.volumes_only else [self.folder])]

    @property
    def empty(self) -> bool:
        """Whether there are no data yet."""
        return not any(_movable(part) for part in self._parts)

    def save(self, writer: Writer) -> None:
        """Add all data to a backup."""
        for path in _contents(self.folder):
            writer.tree(path, f"{DATA}/{path.name}", OURS)

    def scratch(self) -> IO[bytes]:
        """Return an empty file without a name where the data lie, so that it takes no memory."""
        return TemporaryFile(dir=self._parts[0])

    @contextmanager
    def staged(self, file: Path) -> Iterator[None]:
        """Extract the data of a whole backup beside what is there; what `swap` has not moved goes in the end.

        Raises BackupError when they cannot be written.
        """
        parts = {part.name: f"{part.name}/{NEW}" for part in self.volumes}
        self._forget()
        try:
            try:
                for part in self._parts:
                    (part / NEW).mkdir(mode=0o700)
                extract_data(file, self.folder, parts, default=NEW)
            except OSError as error:
                raise BackupError(
                    f"cannot write the data below {self.folder}: {error.strerror or error}"
                ) from error
            yield
        finally:
            self._forget()

    def swap(self) -> None:
        """Put what was extracted in the place of what is there."""
        for part in self._parts:
            (part / OLD).mkdir(mode=0o700)
            for path in _movable(part):
                path.rename(part / OLD / path.name)
            for path in _contents(part / NEW):
                path.rename(part / path.name)
        for volume in self.volumes:  # a volume that was just made belongs to root
            was = (volume / NEW).stat()
            os.chown(volume, was.st_uid, was.st_gid)
            volume.chmod(was.st_mode)

    def _forget(self) -> None:
        for part in self._parts:
            for name in OURS:
                shutil.rmtree(part / name, ignore_errors=True)


def _movable(folder: Path) -> list[Path]:
    return [path for path in _contents(folder) if not os.path.ismount(path)]


def _contents(folder: Path) -> list[Path]:
    there = sorted(folder.iterdir()) if folder.is_dir() else []
    return [path for path in there if path.name not in OURS]
