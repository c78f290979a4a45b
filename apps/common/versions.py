"""How a version is read: nobody uses bytes that are not those that were published.

The orchestrator publishes some of the versions that stages have written (see `apps.common.manifest`), and
gives a stage those to read:

    RANKALPHA_INPUT_<DATASET>         folder of the batch's published version of a dataset
    RANKALPHA_INPUT_<DATASET>_SHA256  its checksum
    RANKALPHA_EARLIER_<DATASET>       [[folder, checksum], ...] of older batches, newest first, as JSON

Without them, as when a stage is run by hand, <volume>/<batch> is read, and nothing is compared.
"""

import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from apps.common.batches import of_batches
from apps.common.compared import note
from apps.common.files import digest
from apps.common.manifest import MANIFEST, Bytes, Manifest, Reference
from apps.common.stage import BadConfig, BadData, Batch

INPUT, EARLIER, SHA256 = "RANKALPHA_INPUT_", "RANKALPHA_EARLIER_", "_SHA256"
LISTED = TypeAdapter(list[tuple[str, str]])
FIX = (
    "run the stage that made this version again for its batch, then for the batches that use it, "
    "or make another version of it the current one with make publish-version"
)


class Changed(BadData):
    """A version does not hold what was published."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"{problem}; {FIX}")


@dataclass(frozen=True)
class Version:
    """A version to read; without a checksum the folder of a batch, as it was before there were versions."""

    folder: Path
    sha256: str = ""

    @property
    def batch(self) -> str:
        """The key of the batch."""
        return (self.folder.parent if self.sha256 else self.folder).name

    def reference(self, root: Path) -> Reference:
        """Return which version it is, for manifests and results."""
        return Reference(path=str(self.folder.relative_to(root)), sha256=self.sha256)

    def manifest(self) -> Manifest:
        """Return the manifest. Raises Changed unless it is the one that was published."""
        path = self.folder / MANIFEST
        if not path.is_file():
            raise Changed(f"{path}: missing, so this version was removed or never finished")
        raw = path.read_bytes()
        if (found := sha256(raw).hexdigest()) != self.sha256:
            raise Changed(f"{path}: its SHA-256 is {found}, but {self.sha256} was published")
        try:
            manifest = Manifest.model_validate_json(raw)
        except ValidationError as error:
            fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
            where = ".".join(map(str, fault["loc"])) or "the file"
            raise Changed(f"{path}: {where}: {fault['msg']}") from error
        if (manifest.batch, manifest.version) != (self.batch, self.folder.name):
            raise Changed(f"{path}: it is the manifest of {manifest.batch}/{manifest.version}")
        return manifest

    def file(self, name: str) -> Path:
        """Return the path of a file. Raises Changed unless its bytes are those that were published."""
        path = self.folder / name
        if self.sha256:
            expected = self.manifest().files.get(name)
            note(path)
            if problem := _problem(path, expected):
                raise Changed(problem)
        return path

    def file_if_any(self, name: str) -> Path | None:
        """Return the path of a file that not all versions have; None without it. Raises as `file` does."""
        has = self.sha256 and name in self.manifest().files
        return self.file(name) if has or (self.folder / name).is_file() else None

    def problems(self) -> list[str]:
        """Compare all of it with what was published; return what differs."""
        try:
            files = self.manifest().files
        except Changed as error:
            return [str(error)]
        names = {path.name for path in self.folder.iterdir()} - {MANIFEST} | set(files)
        found = (_problem(self.folder / name, files.get(name)) for name in sorted(names))
        return [f"{problem}; {FIX}" for problem in found if problem]


def _problem(path: Path, expected: Bytes | None) -> str:
    """Return how a file differs from what is expected of it; an empty string when it does not."""
    if expected is None:
        return f"{path}: the manifest of its version does not list it"
    if not path.is_file():
        return f"{path}: missing"
    if (size := path.stat().st_size) != expected.size:
        return f"{path}: it has {size} bytes, but {expected.size} were published"
    if (found := digest(path)) != expected.sha256:
        return f"{path}: its SHA-256 is {found}, but {expected.sha256} was published"
    return ""


def given(batch: Batch) -> dict[str, Version]:
    """Return the versions of the batch's inputs by dataset. Raises BadConfig for a malformed variable."""
    versions = {}
    for name in os.environ:
        if name.startswith(INPUT) and not name.endswith(SHA256):
            version = _version(batch, name, os.environ[name], os.environ.get(f"{name}{SHA256}", ""))
            versions[name.removeprefix(INPUT).lower()] = version
    return versions


def input_of(batch: Batch, dataset: str, volume: str) -> Version:
    """Return the version of a dataset to read for the batch, else the batch's folder in a volume."""
    return given(batch).get(dataset) or Version(batch.folder(volume))


def earlier(batch: Batch, dataset: str, volume: str) -> list[Version]:
    """Return the published versions of older batches, else the folders of older batches; newest first."""
    name = f"{EARLIER}{dataset.upper()}"
    if text := os.environ.get(name):
        try:
            listed = LISTED.validate_json(text)
        except ValidationError as error:
            raise BadConfig(f"{name}: expected a JSON list of [folder, SHA-256]") from error
        return [_version(batch, name, folder, checksum) for folder, checksum in listed]
    folders = reversed(of_batches(batch.data_dir / volume))
    return [Version(folder) for folder in folders if folder.is_dir() and folder.name < batch.key]


def _version(batch: Batch, name: str, folder: str, checksum: str) -> Version:
    version = Version(Path(folder), checksum)
    try:
        version.reference(batch.data_dir)
    except ValueError as error:  # of another root, or of pydantic
        raise BadConfig(
            f"{name}={folder!r}, SHA-256 {checksum!r}: "
            f"expected {batch.data_dir}/<volume>/<batch>/<version> and 64 hexadecimal digits"
        ) from error
    return version
