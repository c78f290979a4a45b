"""Snapshots of prices: finding an earlier batch's, writing this batch's, pruning old ones."""

import logging
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from apps.common.batches import PRICES, of_batches, remove
from apps.common.files import link, write_atomic
from apps.common.stage import BadData, Batch
from apps.ingestion.prices import SCHEMA, Update, checked

VOLUME = PRICES
FILE = "prices.parquet"

log = logging.getLogger("ingestion")


@dataclass(frozen=True)
class Snapshot:
    """A batch's sound prices file and its number of rows; no file before the first batch."""

    path: Path | None
    rows: int

    def scan(self) -> pl.LazyFrame:
        """Return the prices, to be read as far as they are needed."""
        return pl.scan_parquet(self.path, glob=False) if self.path else SCHEMA.to_frame().lazy()


def newest_before(batch: Batch) -> Snapshot:
    """Return the newest sound snapshot of an earlier batch; a corrupt one is skipped with a warning."""
    for folder in reversed(_batch_folders(batch.data_dir / VOLUME)):
        path = folder / FILE
        if folder.name >= batch.key or not path.is_file():
            continue
        try:
            return Snapshot(path, checked(pl.read_parquet(path, glob=False), str(path)).height)
        except (pl.exceptions.PolarsError, OSError, BadData) as error:
            log.warning("warning: %s is corrupt and skipped: %s", path, str(error).splitlines()[0])
    return Snapshot(None, 0)


def folder_before(batch: Batch) -> Path | None:
    """Return the folder of the newest earlier batch that has prices, sound or not."""
    folders = (
        folder for folder in reversed(_batch_folders(batch.data_dir / VOLUME)) if folder.name < batch.key
    )
    return next((folder for folder in folders if (folder / FILE).is_file()), None)


def write(path: Path, update: Update, earlier: Snapshot) -> bool:
    """Write the updated prices to `path`; with nothing new link the earlier file instead and return True."""
    source = earlier.path
    if source and update.new_rows == 0 and update.prices.height == earlier.rows:
        write_atomic(path, lambda temporary: link(source, temporary))
        return True
    write_atomic(path, lambda temporary: update.prices.write_parquet(temporary, compression="zstd"))
    return False


def prune(batch: Batch, keep: int) -> list[str]:
    """Remove all but the `keep` newest batch folders; return the names of the removed.

    0 keeps all. Only the newest batch removes others: while an old day is ingested, batches of old days are
    still being scored.
    """
    folders = _batch_folders(batch.data_dir / VOLUME)
    if not keep or not folders or folders[-1].name != batch.key:
        return []
    return remove(folders[:-keep])


def _batch_folders(root: Path) -> list[Path]:
    """Return the batch folders below `root`, oldest first."""
    return [path for path in of_batches(root) if path.is_dir()]
