"""Versions of grades: one is written beside what is shown, and shown when the orchestrator says so.

grades/<batch>/<version> is a version as `apps.common.manifest` has it, with one file, grades.json. What is
shown is grades/<batch>.json, a link to the file of one version, so that no record can disagree with it.
"""

import shutil
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from apps.api.batches import BatchFiles
from apps.api.grading import graded_from
from apps.api.records import Grades, GradesAnswer, read_grades, write_grades
from apps.common.compared import unchanged
from apps.common.files import checksum, digest, flush, link
from apps.common.manifest import MANIFEST, Sealed, seal, sealed
from apps.common.stage import BadData
from apps.common.versions import Changed, Version

FILE = "grades.json"
STAGE = "grading"


class Taken(BadData):
    """A version of that name was made from something else."""


@dataclass(frozen=True)
class Graded:
    """What a request has done; `version` is None for grades of a batch that has no versions."""

    grades: Grades
    checksum: str  # of the written file
    version: Sealed | None = None


def make(files: BatchFiles, name: str, grades: Grades) -> Graded:
    """Write a version of the grades; nothing that is shown changes. Repeating it gives the same version.

    Raises Taken when a version of that name was made from other versions.
    """
    folder = files.versions / name
    if folder.is_dir():
        return _made_before(files, folder)
    files.versions.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=files.versions, prefix=f".{name}."))
    try:
        write_grades(temporary / FILE, grades)
        place = str(folder.relative_to(files.data_dir))
        version = seal(temporary, place, STAGE, files.inputs)
        temporary.chmod(0o755)  # mkdtemp makes it private
        try:
            temporary.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
            return _made_before(files, folder)  # by another request at the same time
        flush(files.versions)
        return Graded(grades, checksum(folder / FILE), version)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _made_before(files: BatchFiles, folder: Path) -> Graded:
    graded = read(files, _found(folder))
    if graded.version and graded.version.inputs != files.inputs:
        raise Taken(
            f"{folder} was made from other versions than those of this request; "
            "clear update_grading, so that it asks for another version"
        )
    return graded


def read(files: BatchFiles, version: Version) -> Graded:
    """Return a version's grades. Raises Changed unless all of it is what was sealed."""
    path = version.file(FILE)
    place = version.reference(files.data_dir)
    return Graded(read_grades(path), checksum(path), sealed(place.path, place.sha256, version.manifest()))


def show(files: BatchFiles, version: Version) -> Graded:
    """Make a version the one that is shown, in one step."""
    graded = read(files, version)
    link(version.folder / FILE, files.grades)
    flush(files.grades.parent)
    return graded


def shown(files: BatchFiles) -> Version | None:
    """Return the version that is shown; None when the batch is not graded, or has no versions."""
    if not files.grades.is_file():
        return None
    # what begins with a dot is being written
    found = files.versions.glob(f"[!.]*/{FILE}")
    folders = [path.parent for path in found if (path.parent / MANIFEST).is_file()]
    same = [folder for folder in folders if files.grades.samefile(folder / FILE)]
    if not same and folders:  # a file system without links
        content = digest(files.grades)
        same = [folder for folder in folders if digest(folder / FILE) == content]
    return _found(max(same, key=lambda folder: folder.stat().st_mtime)) if same else None


def another_shown(files: BatchFiles, version: Version) -> list[str]:
    """Return what is wrong when other grades are shown than those of this version."""
    if _same(files.grades, version.folder / FILE):
        return []
    found = shown(files)
    text = f"is {found.reference(files.data_dir).path}" if found else "is none of the versions"
    return [
        f"{files.grades}: what is shown {text}, but {version.folder.name} was published; clear show_grades"
    ]


def grade_again(files: BatchFiles, version: Version, sentiment_weight: float) -> Graded:
    """Grade what the shown version was made from, and show the outcome."""
    files = files.reading(version.manifest().inputs)
    before = read(files, version).grades
    with unchanged():
        grades = graded_from(files, sentiment_weight, before.session)
    if before.carried_over_from:
        grades = grades.carried_over({before.content: before.carried_over_from})
    if grades.text().encode() == (version.folder / FILE).read_bytes():
        return show(files, version)
    made_of = [grades.text(), *sorted(each.model_dump_json() for each in files.inputs.values())]
    name = f"refresh-{sha256(''.join(made_of).encode()).hexdigest()[:8]}-1"
    make(files, name, grades)
    return show(files, _found(files.versions / name))


def shown_grades(files: BatchFiles) -> GradesAnswer:
    """Return the grades that are shown. Raises BadData for bytes that are not those of a version.

    Those of a batch without versions are taken as they are.
    """
    version = shown(files)
    if version is None and files.missing() and any(files.versions.glob(f"[!.]*/{FILE}")):
        raise BadData(f"{files.grades}: its bytes are those of none of its versions; clear show_grades")
    try:
        if version:
            version.file(FILE)
    except Changed as error:
        raise BadData(str(error)) from error  # it is not the request that is wrong
    return read_grades(files.grades)


def _same(one: Path, other: Path) -> bool:
    """Whether two paths hold the same bytes; the file system may have no links."""
    there = one.is_file() and other.is_file()
    return there and (one.samefile(other) or digest(one) == digest(other))


def _found(folder: Path) -> Version:
    """Return a version as it is on disk."""
    return Version(folder, digest(folder / MANIFEST))
