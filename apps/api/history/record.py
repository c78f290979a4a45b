"""Records what is shown."""

import logging
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path

import polars as pl

from apps.api.batches import BatchFiles, graded
from apps.api.history.folder import folder_of, month_of
from apps.api.history.lock import POLL, alone
from apps.api.history.months import Month, Shown
from apps.api.history.rows import rows_of
from apps.api.records import GradesAnswer, read_grades
from apps.api.versions import FILE, shown, shown_grades
from apps.common.files import checksum
from apps.common.stage import BadData, StageError
from apps.common.versions import Version

PATIENCE = 10.0  # seconds that a grading waits for another one that writes
LONG = 300.0  # the same of what nobody waits for
COMPLETE = ".complete"  # in the folder of the record, once it has what was shown before there was one

log = logging.getLogger("rankalpha.api")


def record(files: BatchFiles) -> str | None:
    """Add to the record what is shown of a batch, once; return why it cannot be added.

    It never keeps grades from being shown, whatever is wrong, and hardly delays them.
    """
    _, unread = fill(files.data_dir, [files], PATIENCE)
    return unread.get(files.key)


def catch_up(root: Path) -> None:
    """Record what could not be recorded when it was shown, or was shown before there was a record."""
    fill(root, [files for files in graded(root) if not is_recorded(files)], LONG)
    with suppress(OSError):  # it keeps nobody from reading
        folder_of(root).mkdir(parents=True, exist_ok=True)
        (folder_of(root) / COMPLETE).touch()


def complete(root: Path) -> None:
    """Do so before the first reader, as after an upgrade; if that is killed, the next reader goes on."""
    if (root / "grades").is_dir() and not (folder_of(root) / COMPLETE).exists():
        catch_up(root)


def fill(root: Path, some: Iterable[BatchFiles], patience: float) -> tuple[list[str], dict[str, str]]:
    """Record what is shown of batches, and write each month's file once.

    Return the batches that were recorded, and by batch why others could not be.
    """
    recorded: list[str] = []
    unread: dict[str, str] = {}
    by_month = groupby(sorted(some, key=lambda files: files.key), lambda files: month_of(root, files.key))
    for number, (month, batches) in enumerate(by_month):
        time.sleep(2 * POLL if number else 0)  # let a grading in between
        here = list(batches)
        try:
            with alone(root, patience):
                recorded += _added(month, here, unread)
        except Exception as error:  # noqa: BLE001  the grades are shown, and whoever asked must hear so
            unread |= {files.key: _said(error) for files in here}
    for key, reason in unread.items():
        log.warning("warning: batch %s is shown, but not recorded: %s", key, reason)
    return recorded, unread


def _added(month: Month, batches: Sequence[BatchFiles], unread: dict[str, str]) -> list[str]:
    """Add what is shown of batches to a month, and why some cannot be added to `unread`."""
    added = list[tuple[Shown, pl.DataFrame]]()
    for files in batches:
        try:
            added += _new([*month.sets(), *(each for each, _ in added)], files)
        except Exception as error:  # noqa: BLE001  the others can be recorded all the same
            unread[files.key] = _said(error)
    if added:
        month.add(added)
    return [each.batch for each, _ in added]


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__


def is_recorded(files: BatchFiles) -> bool:
    """Tell whether the record has of a batch what is shown."""
    try:
        found = month_of(files.data_dir, files.key).current().get(files.key)
        return found is not None and _is_of(found, files, shown(files))
    except (StageError, OSError):
        return False


def _new(sets: Sequence[Shown], files: BatchFiles) -> list[tuple[Shown, pl.DataFrame]]:
    """Return the set to add to those of the month; none if the batch's newest one is of the same grades.

    All of it is of one version, although another may be shown meanwhile.
    """
    version = shown(files)
    newest = next((each for each in reversed(sets) if each.batch == files.key), None)
    if newest and _is_of(newest, files, version):
        return []
    grades = read_grades(version.file(FILE)) if version else shown_grades(files)
    if grades.batch != files.key:
        raise BadData(f"{files.grades}: these are the grades of batch {grades.batch}; remove the file")
    place, path = _place(files, version)
    added = _shown(grades, place, checksum(path), (each.shown_at for each in sets))
    return [(added, rows_of(grades, place, added.shown_at))]


def _is_of(found: Shown, files: BatchFiles, version: Version | None) -> bool:
    place, path = _place(files, version)
    return (found.version, found.checksum) == (place, checksum(path))


def _place(files: BatchFiles, version: Version | None) -> tuple[str | None, Path]:
    """Return the path of a version below the root of the data, and that of its file of grades."""
    if version is None:
        return None, files.grades
    return version.reference(files.data_dir).path, version.folder / FILE


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
