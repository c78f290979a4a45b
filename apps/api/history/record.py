"""Records what is shown."""

import logging
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path

import polars as pl

from apps.api.batches import BatchFiles, graded
from apps.api.history.folder import alone, folder_of, month_of
from apps.api.history.months import Damaged, Month, Shown
from apps.api.history.rows import rows_of
from apps.api.records import GradesAnswer, read_grades
from apps.api.versions import FILE, shown, shown_grades
from apps.common.files import checksum
from apps.common.stage import StageError

COMPLETE = ".complete"  # in the folder of the record, once it has what was shown before there was one

log = logging.getLogger("rankalpha.api")


def record(files: BatchFiles) -> str | None:
    """Add to the record what is shown of a batch, once; return why it cannot be added.

    Other batches that could not be added before are added too. It never keeps grades from being shown.
    """
    root = files.data_dir
    try:
        with alone(root):
            others = (each for each in _lacking(root) if each.key != files.key)
            _, unread = fill(root, [*others, files])
    except (StageError, OSError) as error:
        log.warning("warning: batch %s is shown, but not recorded: %s", files.key, error)
        return str(error)
    return unread.get(files.key)


def complete(root: Path) -> None:
    """Record once what was shown before there was a record, as after an upgrade.

    If that is killed, the next reader goes on. What cannot be written keeps nobody from reading.
    """
    if (folder_of(root) / COMPLETE).exists() or not (root / "grades").is_dir():
        return
    try:
        with alone(root):
            fill(root, _lacking(root))
    except (StageError, OSError) as error:
        log.warning("warning: the record may lack batches: %s", error)


def _lacking(root: Path) -> list[BatchFiles]:
    """Return the graded batches of which the record has nothing; none of a month whose file is damaged."""
    return [files for files in graded(root) if not _has(month_of(root, files.key), files.key)]


def _has(month: Month, batch: str) -> bool:
    try:
        return batch in month.current()
    except Damaged:
        return True


def fill(root: Path, some: Iterable[BatchFiles]) -> tuple[list[str], dict[str, str]]:
    """Record what is shown of batches, and write each month's file once.

    Return the batches that were recorded, and by batch why others could not be.
    """
    recorded: list[str] = []
    unread: dict[str, str] = {}
    by_month = groupby(sorted(some, key=lambda files: files.key), lambda files: month_of(root, files.key))
    for month, batches in by_month:
        keys, added = [], list[tuple[Shown, pl.DataFrame]]()
        for files in batches:
            keys.append(files.key)
            try:
                added += _new([*month.sets(), *(each for each, _ in added)], files)
            except (StageError, OSError) as error:
                unread[files.key] = str(error)
        try:
            if added:
                month.add(added)
                recorded += [each.batch for each, _ in added]
        except (StageError, OSError) as error:
            unread |= dict.fromkeys(keys, str(error))
    for key, reason in unread.items():
        log.warning("warning: batch %s is shown, but not recorded: %s", key, reason)
    (folder_of(root) / COMPLETE).touch()
    return recorded, unread


def _new(sets: Sequence[Shown], files: BatchFiles) -> list[tuple[Shown, pl.DataFrame]]:
    """Return the set to add to those of the month; none if the batch's newest one is of the same grades.

    All of it is of one version, although another may be shown meanwhile.
    """
    version = shown(files)
    path = version.folder / FILE if version else files.grades
    place = version.reference(files.data_dir).path if version else None
    newest = next((each for each in reversed(sets) if each.batch == files.key), None)
    if newest and (newest.version, newest.checksum) == (place, checksum(path)):
        return []
    grades = read_grades(version.file(FILE)) if version else shown_grades(files)
    added = _shown(grades, place, checksum(path), (each.shown_at for each in sets))
    return [(added, rows_of(grades, place, added.shown_at))]


def _shown(grades: GradesAnswer, version: str | None, digest: str, earlier: Iterable[datetime]) -> Shown:
    """Return the entry of a set; its moment, by which its rows are found, is later than all in the file."""
    now = datetime.now(UTC)
    return Shown(
        batch=grades.batch,
        shown_at=max((now, *(each + timedelta(microseconds=1) for each in earlier))),
        as_of=grades.as_of,
        session=grades.session.newest if grades.session else None,
        graded_at=grades.graded_at,
        symbols=len(grades.grades),
        distribution=grades.distribution,
        version=version,
        checksum=digest,
    )
