"""The folders of all processes: how one is made, found, renamed and removed; each step is seen as a whole."""

import errno
import json
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rankalpha.runners.failures import ContainerGone, NameTaken
from rankalpha.runners.process_folder import read


class Folders:
    """The folders below `root`."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def add(self, name: str, described: Mapping[str, Any]) -> None:
        """Make the folder of a process, which gets its name when it is complete. Raises NameTaken."""
        made = self._hidden()
        made.mkdir(mode=0o700, parents=True)
        (made / "container.json").write_text(json.dumps(described), encoding="utf-8")
        try:
            made.rename(self.named(name))
        except OSError as error:
            shutil.rmtree(made)
            if error.errno not in {errno.EEXIST, errno.ENOTEMPTY}:
                raise
            raise NameTaken(f"process {name} exists already") from error

    def named(self, name: str) -> Path:
        """Return where the folder of that name is, or would be."""
        return self._root / name

    def all(self) -> list[Path]:
        """Return all folders, those that are set aside too."""
        return [path for path in self._root.glob("rankalpha-*") if path.is_dir()]

    def of(self, container_id: str) -> Path:
        """Return the folder of a process, given its name or its id. Raises ContainerGone."""
        for path in self.all():
            if path.name == container_id or read(path / "container.json").get("id") == container_id:
                return path
        raise ContainerGone(f"process {container_id} no longer exists")

    def rename(self, name: str, other: str) -> None:
        """Give a folder another name."""
        self.named(name).rename(self.named(other))

    def remove(self, container_id: str) -> None:
        """Remove a folder; it is renamed first, so that nobody finds half of it."""
        hidden = self._hidden()
        self.of(container_id).rename(hidden)
        shutil.rmtree(hidden)

    def _hidden(self) -> Path:
        return self._root / f".{secrets.token_hex(8)}"
