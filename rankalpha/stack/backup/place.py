"""Where a stack keeps what a backup holds, and how a backup is made and restored there."""

import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from dotenv import dotenv_values

from rankalpha.stack.backup.database import Database
from rankalpha.stack.backup.errors import BackupError
from rankalpha.stack.backup.files import Data
from rankalpha.stack.backup.form import DUMP, KEYS, About, Contents
from rankalpha.stack.backup.half import marked
from rankalpha.stack.backup.reading import copy_member
from rankalpha.stack.backup.writing import written
from rankalpha.stack.keys import KEYS as NAMES
from rankalpha.stack.keys import write_secret


@dataclass(frozen=True)
class Place:
    """A stack: its kind, its database, its data, the keys that it uses, and the file of those it has made."""

    stack: str
    database: Database
    data: Data
    fernet: str
    keys_file: Path | None  # none when a profile gives the keys

    def save(self, file: Path) -> None:
        """Make a backup. The stack may run: the database is of one moment, and the data are read after it.

        So each batch that the database knows to be published is whole in it.
        """
        about = About(self.stack, f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}", fingerprints(self.fernet))
        with written(file, about) as writer:
            if self.keys_file:
                made = dotenv_values(self.keys_file)
                writer.text(KEYS, _as_env({name: made[name] or "" for name in NAMES}))
            with tempfile.TemporaryFile(dir=file.parent) as dump:
                self.database.dump(dump)
                writer.file(DUMP, dump)
            self.data.save(writer)

    def check(self, file: Path, found: Contents) -> None:
        """Raise BackupError when a whole backup cannot be restored here."""
        if found.about.stack != self.stack:
            raise BackupError(
                f"{file} was made of the {found.about.stack} stack; this is the {self.stack} stack"
            )
        brings_keys = self.keys_file and KEYS in found.members
        if not brings_keys and not set(found.about.fernet) <= set(fingerprints(self.fernet)):
            raise BackupError(
                f"the secrets in {file} were encrypted with another key: set AIRFLOW__CORE__FERNET_KEY in "
                "env/<profile>/airflow.env to the one of the stack that was backed up"
            )
        volumes = {path.name for path in self.data.volumes}
        if self.data.volumes_only and (missing := found.folders - volumes):
            options = " ".join(f"-v {name}:/data/{name}" for name in sorted(missing))
            raise BackupError(f"{file} holds data that no volume takes; run it with `{options}`")

    def in_use(self) -> bool:
        """Return whether there is something that a restore would replace."""
        return self.database.has_runs() or not self.data.empty

    def restore(self, file: Path, found: Contents, report: Callable[[str], object]) -> None:
        """Replace all that the stack holds by a backup that was checked. The stack must not run.

        Everything is extracted first, and the database is replaced in one transaction: a BackupError leaves
        all as it was. After an interruption in between the stack does not start until it is restored again.
        """
        report("Extracting the data")
        with self.data.staged(file), self.data.scratch() as dump:
            try:
                copy_member(file, DUMP, dump)
            except OSError as error:
                raise BackupError(f"cannot extract the database: {error.strerror or error}") from error
            with marked():
                report("Replacing the database")
                self.database.load(dump)
                report("Replacing the data")
                if self.keys_file and KEYS in found.members:
                    _restore_keys(file, self.keys_file)
                self.data.swap()


def fingerprints(fernet: str) -> list[str]:
    """Return what a key, or each of those that it is rotated among, is recognised by; it stays secret."""
    return [sha256(key.encode()).hexdigest()[:16] for key in fernet.split(",") if key]


def _restore_keys(file: Path, target: Path) -> None:
    """Replace the keys, but not what else is in their file: the passwords of this stack's servers."""
    with tempfile.TemporaryFile() as copy:
        copy_member(file, KEYS, copy)
        kept = dict(line.split("=", 1) for line in copy.read().decode().splitlines())
    known = {name: value or "" for name, value in dotenv_values(target).items()}
    write_secret(target, _as_env({**known, **kept}), mode=0o600)
    if os.geteuid() == 0:  # others of Airflow's containers read it as its owner
        owner = target.parent.stat()
        os.chown(target, owner.st_uid, owner.st_gid)


def _as_env(variables: Mapping[str, str]) -> str:
    return "".join(f"{key}={value}\n" for key, value in variables.items())
