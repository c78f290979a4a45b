"""Files of older batches, and which of them are removed: a batch is kept for as long as its prices are.

The ingestion stage keeps the newest INGESTION_KEEP_BATCHES with new prices in prices/, each with its scores.
`prune_followers` removes what other stages have written for a batch, so that one setting holds for all.
`sweep` removes versions that nobody has published, or that others have superseded, some days later.
"""

import logging
import os
import shutil
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from apps.common.stage import BATCH_FORMAT, BadConfig

PRICES = "prices"  # the volume that all others follow

DAY = 86_400  # seconds

log = logging.getLogger("batches")


class Keep(BaseModel):
    """Which versions of a volume are published, or were read for one that is; others go after `days`.

    It says nothing about batches before `since`, nor before the oldest that it names: a new database of
    Airflow does not know what an old one has published. Their versions stay for as long as the batch does.
    """

    since: str = ""
    versions: frozenset[str] = frozenset()  # <volume>/<batch>/<version>
    # batches in whose folders the versions of newer batches lie, each with the newest of these
    carried: dict[str, str] = {}
    days: float = Field(default=7, ge=1)  # a younger version may still be written, or wait for its contract

    @classmethod
    def from_env(cls) -> "Keep | None":
        """Read RANKALPHA_KEEP; None without it. Raises BadConfig."""
        text = os.environ.get("RANKALPHA_KEEP")
        try:
            return cls.model_validate_json(text) if text else None
        except ValidationError as error:
            raise BadConfig(f"RANKALPHA_KEEP={text!r:.100}: expected what Airflow gives a stage") from error

    @cached_property
    def batches(self) -> set[str]:
        """The keys of the batches that have a version to keep."""
        return {path.split("/")[1] for path in self.versions if path.count("/") == 2}  # noqa: PLR2004  see above

    def reaches(self, key: str) -> bool:
        """Return whether it knows what of this batch is published."""
        return bool(self.batches) and not self.older(key)

    def carries(self, key: str, oldest: str) -> bool:
        """Return whether a batch from `oldest` on uses a version in the folder of the batch `key`."""
        return self.carried.get(key, "") >= oldest

    def older(self, key: str) -> bool:
        """Return whether this batch is older than those that it knows."""
        return bool(self.batches) and key < max(self.since, min(self.batches))


def is_key(name: str) -> bool:
    """Return whether `name` is a batch key in its only valid spelling."""
    try:
        return datetime.strptime(name, BATCH_FORMAT).replace(tzinfo=UTC).strftime(BATCH_FORMAT) == name
    except ValueError:
        return False


def of_batches(folder: Path) -> list[Path]:
    """Return the entries of `folder` that a batch names, <key> or <key>.json, oldest first."""
    return sorted(path for path in folder.glob("*") if is_key(path.stem))


def prune_followers(volume: Path, keep: Collection[str] = (), needed: Keep | None = None) -> list[str]:
    """Remove from a volume beside prices/ the batches before the oldest in prices/; return their keys.

    Such a batch can no longer be graded, because its scores were removed with its prices. Nothing is removed
    while prices/ is empty, and never a batch that `keep` names, or whose version one that stays uses.
    """
    kept = [path.stem for path in of_batches(volume.parent / PRICES)]
    outdated = (path for path in of_batches(volume) if kept and path.stem < kept[0] and path.stem not in keep)
    return remove(path for path in outdated if not (needed and needed.carries(path.stem, kept[0])))


def remove(paths: Iterable[Path]) -> list[str]:
    """Remove folders and files of batches; return the keys of those that were removed.

    What cannot be removed stays until the next batch, with a warning; the batch that is being written is not
    affected.
    """
    removed = []
    for path in paths:
        try:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
            removed.append(path.stem)
        except OSError as error:
            log.warning("warning: cannot remove the old batch %s: %s", path, error)
    return removed


def sweep(volume: Path, keep: Keep, in_use: Callable[[Path], bool] = lambda _: False) -> int:
    """Remove the versions of a volume that are not to be kept, nor `in_use`; return how many they were.

    A version goes some days after it was last to be kept, so that what was superseded a moment ago can be
    published again, however old it is. The time of its folder says when that was.
    """
    before = time.time() - keep.days * DAY
    removed = 0
    for batch in of_batches(volume):
        if not keep.reaches(batch.name) or not batch.is_dir():
            continue
        with suppress(FileNotFoundError):  # somebody else prunes at the same time
            versions = [path for path in batch.iterdir() if path.is_dir()]
            _note_as_kept(path for path in versions if _place(path) in keep.versions)
            others = [path for path in versions if _place(path) not in keep.versions]
            outdated = [path for path in others if path.stat().st_mtime < before and not in_use(path)]
            removed += len(remove(outdated))
            if outdated:
                with suppress(OSError):  # it holds something else
                    batch.rmdir()
    if removed:
        log.info("versions that nobody has published for %g days are removed: %d", keep.days, removed)
    return removed


def _note_as_kept(folders: Iterable[Path]) -> None:
    for folder in folders:
        if folder.stat().st_mtime < time.time() - DAY / 2:
            with suppress(PermissionError):  # another user's; then it is as old as it was made
                os.utime(folder)


def _place(folder: Path) -> str:
    """Return the path of a version below the data root."""
    return "/".join(folder.parts[-3:])
