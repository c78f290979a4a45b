"""Snapshots of prices: finding an earlier batch's, writing this batch's, pruning old ones."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from pydantic import ValidationError

from apps.common.batches import PRICES, Keep, of_batches, remove, sweep
from apps.common.files import link
from apps.common.manifest import MANIFEST, Manifest
from apps.common.parquet import NOTICE, write_parquet
from apps.common.stage import BadData, Batch
from apps.common.versions import Version, earlier
from apps.ingestion.prices import Update
from apps.ingestion.table import SCHEMA, checked

VOLUME = PRICES
FILE = "prices.parquet"
QUIET = 10  # times as many batches in all as are kept of those with something new

log = logging.getLogger("ingestion")


@dataclass(frozen=True)
class Snapshot:
    """A batch's sound prices file and its number of rows; no file before the first batch."""

    path: Path | None
    rows: int
    version: Version | None = None

    def scan(self) -> pl.LazyFrame:
        """Return the prices, to be read as far as they are needed."""
        return pl.scan_parquet(self.path, glob=False) if self.path else SCHEMA.to_frame().lazy()


def before(batch: Batch) -> list[Version]:
    """Return what the batch may continue: the published prices of older batches, newest first."""
    known = earlier(batch, "prices", VOLUME)
    return [version for version in known if version.sha256 or (version.folder / FILE).is_file()]


def newest_sound(versions: Sequence[Version]) -> Snapshot:
    """Return the first sound snapshot; a corrupt one is skipped with a warning."""
    for version in versions:
        path = version.folder / FILE
        try:
            rows = checked(pl.read_parquet(version.file(FILE), glob=False), str(path)).height
            return Snapshot(path, rows, version)
        except (pl.exceptions.PolarsError, OSError, BadData) as error:
            log.warning("warning: %s is corrupt and skipped: %s", path, str(error).splitlines()[0])
    return Snapshot(None, 0)


def write(path: Path, update: Update, earlier: Snapshot, notice: str = "") -> bool:
    """Write the updated prices to `path`; with nothing new link the earlier file instead and return True.

    The file's metadata hold the `notice`, so that whoever shows the prices can show it.
    """
    if earlier.path and update.new_rows == 0 and update.prices.height == earlier.rows:
        link(earlier.path, path)
        return True
    write_parquet(path, update.prices, {NOTICE: notice} if notice else None)
    return False


def prune(batch: Batch, most: int) -> list[str]:
    """Remove the oldest batch folders; return the names of the removed. 0 keeps all.

    Those stay that are as new as the `most`-th newest of those with something new. The others cost next to
    nothing, as their files are links; yet a source that stands still does not fill the disk: see QUIET.

    Only the newest batch removes others: while an old day is ingested, batches of old days are still being
    scored. Where Airflow says which versions are published, others do not count, so that no trial pushes out
    what is published; they are swept by age. A batch stays while one that stays uses a version of it.
    """
    folders = [path for path in of_batches(batch.data_dir / VOLUME) if path.is_dir()]
    keep = Keep.from_env()
    if keep:
        sweep(batch.data_dir / VOLUME, keep)
        folders = [
            path
            for path in folders
            if path.name in keep.batches or keep.older(path.name) or (path / FILE).is_file()
        ]
    if not most or not folders or folders[-1].name > batch.key:
        return []
    new = _with_something_new(folders)
    first = new[-most] if len(new) >= most else 0
    first = max(first, len(folders) - QUIET * most)
    outdated = folders[:first]
    if keep and first:
        outdated = [path for path in outdated if not keep.carries(path.name, folders[first].name)]
    return remove(outdated)


def _with_something_new(folders: Sequence[Path]) -> list[int]:
    """Return the positions of the batches whose prices differ from those of the batch before."""
    positions, before = [], frozenset[object]()
    for position, folder in enumerate(folders):
        contents = _contents(folder)
        if contents - before:
            positions.append(position)
        before = contents or before
    return positions


def _contents(folder: Path) -> frozenset[object]:
    """Return what tells the prices of a batch's versions from others: their checksum, else their inode."""
    found: set[object] = set()
    for path in (folder / FILE, *folder.glob(f"*/{FILE}")):
        with suppress(OSError):
            try:
                manifest = Manifest.model_validate_json(path.with_name(MANIFEST).read_bytes())
                found.add(manifest.files[FILE].sha256)
            except (FileNotFoundError, ValidationError, KeyError):
                found.add(path.stat().st_ino)
    return frozenset(found)
