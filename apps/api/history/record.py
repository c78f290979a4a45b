"""Records what is shown, and rebuilds the record from the versions that are there."""

import logging
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import BaseModel

from apps.api.batches import BatchFiles, graded
from apps.api.history.faults import Damaged
from apps.api.history.lock import POLL, alone
from apps.api.history.months import Month, Shown, month_of, months
from apps.api.history.rows import rows_of
from apps.api.records import GradesAnswer
from apps.api.versions import shown, shown_grades
from apps.common.files import checksum
from apps.common.stage import BadData, StageError

PATIENCE = 10.0  # seconds that a grading waits for another one that writes
LONG = 300.0  # the same of a rebuild, for which nobody waits

log = logging.getLogger("rankalpha.api")


class Rebuilt(BaseModel):
    """What a rebuild has done."""

    recorded: list[str]  # batches
    damaged: list[str]  # files that were moved aside, by their new names
    unread: list[str]  # why other batches are not recorded


def record(files: BatchFiles) -> str | None:
    """Add to the record what is shown of a batch, once; return why it cannot be added.

    It never keeps grades from being shown, whatever is wrong, and hardly delays them.
    """
    try:
        with alone(files.data_dir, PATIENCE):
            _add(files)
    except Exception as error:  # noqa: BLE001  the grades are shown, and Airflow must hear so
        problem = str(error) or type(error).__name__
        log.warning("warning: batch %s is shown, but not recorded: %s", files.key, problem)
        return problem
    return None


def unrecorded(root: Path) -> list[BatchFiles]:
    """Return the batches whose grades are shown otherwise than the record has them, or not at all in it."""
    return [files for files in graded(root) if not _is_recorded(files)]


def rebuild(root: Path) -> Rebuilt:
    """Record each batch whose grades are there; a damaged file is moved aside first. Nothing else is lost."""
    with alone(root, LONG):
        damaged = [_move_aside(month) for month in months(root) if _is_damaged(month)]
    return _recorded(root, graded(root)).model_copy(update={"damaged": damaged})


def catch_up(root: Path) -> Rebuilt:
    """Record what could not be recorded when it was shown, as it was before there was a record."""
    return _recorded(root, unrecorded(root))


def _recorded(root: Path, some: list[BatchFiles]) -> Rebuilt:
    recorded, unread = [], []
    for files in reversed(some):
        try:
            with alone(root, LONG):
                if _add(files):
                    recorded.append(files.key)
        except Exception as error:  # noqa: BLE001  as above, and the others can be recorded all the same
            log.warning("warning: batch %s is not recorded: %s", files.key, error)
            unread.append(str(error))
        time.sleep(2 * POLL)  # let a grading in between
    return Rebuilt(recorded=recorded, damaged=[], unread=unread)


def _is_recorded(files: BatchFiles) -> bool:
    try:
        found = month_of(files.data_dir, files.key).current().get(files.key)
        graded_at = datetime.fromtimestamp(files.grades.stat().st_mtime, UTC)  # as an answer says it
    except (StageError, OSError):
        return False
    return found is not None and found.graded_at == graded_at


def _add(files: BatchFiles) -> bool:
    """Add a set of rows unless the newest one is of the same grades; return whether it was added."""
    month, version = month_of(files.data_dir, files.key), shown(files)
    place = version.reference(files.data_dir).path if version else None
    sets, digest = month.sets(), checksum(files.grades)
    newest = next((each for each in reversed(sets) if each.batch == files.key), None)
    if newest and (newest.version, newest.checksum) == (place, digest):
        return False
    grades = shown_grades(files)
    if grades.batch != files.key:
        raise BadData(f"{files.grades}: these are the grades of batch {grades.batch}; remove the file")
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
    except StageError:  # it may be whole
        return False
    return False


def _move_aside(month: Month) -> str:
    """Rename a file, which may have been damaged before, too; return its new name."""
    known = len(list(month.path.parent.glob(f"{month.path.name}.damaged*")))
    aside = month.path.with_name(f"{month.path.name}.damaged{f'-{known + 1}' if known else ''}")
    month.path.replace(aside)
    log.warning("warning: %s was damaged; it is kept as %s", month.path, aside)
    return aside.name
