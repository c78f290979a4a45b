"""Records what is shown, and rebuilds the record from the versions that are there."""

import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import BaseModel

from apps.api.batches import BatchFiles, graded
from apps.api.history.months import Damaged, Month, Shown, alone, folder_of, month_of, months
from apps.api.history.rows import rows_of
from apps.api.records import GradesAnswer
from apps.api.versions import shown, shown_grades
from apps.common.files import checksum
from apps.common.stage import StageError

log = logging.getLogger("rankalpha.api")


class Rebuilt(BaseModel):
    """What a rebuild has done."""

    recorded: list[str]  # batches
    damaged: list[str]  # files that were moved aside, by their new names
    unread: list[str]  # why other batches are not recorded


def record(files: BatchFiles) -> str | None:
    """Add to the record what is shown of a batch, once; return why it cannot be added.

    It never keeps grades from being shown.
    """
    try:
        if not folder_of(files.data_dir).is_dir():
            rebuild(files.data_dir)
            return None
        with alone(files.data_dir):
            _add(files)
    except (StageError, OSError) as error:
        log.warning("warning: batch %s is shown, but not recorded: %s", files.key, error)
        return str(error)
    return None


def rebuild(root: Path) -> Rebuilt:
    """Record each batch whose grades are there; a damaged file is moved aside first. Nothing else is lost."""
    recorded, unread = [], []
    with alone(root):
        damaged = [_move_aside(month) for month in months(root) if _is_damaged(month)]
        for files in reversed(graded(root)):
            try:
                if _add(files):
                    recorded.append(files.key)
            except (StageError, OSError) as error:
                log.warning("warning: batch %s is not recorded: %s", files.key, error)
                unread.append(str(error))
    return Rebuilt(recorded=recorded, damaged=damaged, unread=unread)


def _add(files: BatchFiles) -> bool:
    """Add a set of rows unless the newest one is of the same grades; return whether it was added."""
    month, version = month_of(files.data_dir, files.key), shown(files)
    place = version.reference(files.data_dir).path if version else None
    sets, digest = month.sets(), checksum(files.grades)
    newest = next((each for each in reversed(sets) if each.batch == files.key), None)
    if newest and (newest.version, newest.checksum) == (place, digest):
        return False
    grades = shown_grades(files)
    added = _shown(grades, place, digest, (each.shown_at for each in sets))
    month.add(added, rows_of(grades, place, added.shown_at))
    return True


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


def _is_damaged(month: Month) -> bool:
    try:
        month.rows()
    except Damaged:
        return True
    return False


def _move_aside(month: Month) -> str:
    aside = month.path.with_name(f"{month.path.name}.damaged")
    month.path.replace(aside)
    log.warning("warning: %s was damaged; it is kept as %s", month.path, aside)
    return aside.name
