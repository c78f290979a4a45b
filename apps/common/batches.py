"""Files of older batches, and which of them are removed: a batch is kept for as long as its prices are.

The ingestion stage keeps the newest INGESTION_KEEP_BATCHES below prices/, each with its scores.
`prune_followers` removes what other stages have written for a batch, so that one setting holds for all.
"""

import logging
import shutil
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from pathlib import Path

from apps.common.stage import BATCH_FORMAT

PRICES = "prices"  # the volume that all others follow

log = logging.getLogger("batches")


def is_key(name: str) -> bool:
    """Return whether `name` is a batch key in its only valid spelling."""
    try:
        return datetime.strptime(name, BATCH_FORMAT).replace(tzinfo=UTC).strftime(BATCH_FORMAT) == name
    except ValueError:
        return False


def of_batches(folder: Path) -> list[Path]:
    """Return the entries of `folder` that a batch names, <key> or <key>.json, oldest first."""
    return sorted(path for path in folder.glob("*") if is_key(path.stem))


def prune_followers(volume: Path, keep: Collection[str] = ()) -> list[str]:
    """Remove from a volume beside prices/ the batches before the oldest in prices/; return their keys.

    Such a batch can no longer be graded, because its scores were removed with its prices. Nothing is removed
    while prices/ is empty, and never a batch that `keep` names.
    """
    kept = [path.stem for path in of_batches(volume.parent / PRICES)]
    outdated = (path for path in of_batches(volume) if kept and path.stem < kept[0] and path.stem not in keep)
    return remove(outdated)


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
