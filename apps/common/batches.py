"""What of older batches is on disk, and which of it goes: a batch is kept for as long as its prices are.

The ingestion stage keeps the newest INGESTION_KEEP_BATCHES below prices/, each with its scores. What others
have written for a batch follows by `prune_followers`, so that this one setting holds for all.
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
    """Tell whether `name` is a batch key in its one spelling."""
    try:
        return datetime.strptime(name, BATCH_FORMAT).replace(tzinfo=UTC).strftime(BATCH_FORMAT) == name
    except ValueError:
        return False


def of_batches(folder: Path) -> list[Path]:
    """Return what in `folder` is named by a batch, <key> or <key>.json, oldest first; keys sort by time."""
    return sorted(path for path in folder.glob("*") if is_key(path.stem))


def prune_followers(volume: Path, keep: Collection[str] = ()) -> list[str]:
    """Remove from a volume beside prices/ what is of batches before the oldest there; return their keys.

    Such a batch cannot be graded any more, for its scores went with its prices. Nothing goes while prices/ is
    empty, nor what is of the batches that `keep` names.
    """
    kept = [path.stem for path in of_batches(volume.parent / PRICES)]
    outdated = (path for path in of_batches(volume) if kept and path.stem < kept[0] and path.stem not in keep)
    return remove(outdated)


def remove(paths: Iterable[Path]) -> list[str]:
    """Remove folders and files of batches; return the keys of those that are gone.

    What cannot be removed is left for the next time with a warning: the batch that is being written is sound.
    """
    removed = []
    for path in paths:
        try:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
            removed.append(path.stem)
        except OSError as error:
            log.warning("warning: cannot remove the old batch %s: %s", path, error)
    return removed
