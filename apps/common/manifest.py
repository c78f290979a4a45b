"""How a version is written: its folder is claimed, filled and sealed.

A version is a folder <data root>/<volume>/<batch>/<version> that one container has made, and that nobody
changes after manifest.json is written into it: size and SHA-256 of each file, and the versions that it was
made from. The SHA-256 of the manifest is the checksum of the version.
"""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field

from apps.common.files import digest, flush, not_written, write_atomic
from apps.common.stage import StageError

MANIFEST = "manifest.json"

Digits = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$")]
# becomes part of a path: <volume>/<batch>/<version>
Place = Annotated[str, Field(pattern=r"^[a-z_]{1,40}/[0-9]{4}-[0-9-]{5}T[0-9:]{8}/[A-Za-z0-9_-]{1,100}$")]


class Bytes(BaseModel):
    """What a file holds."""

    size: int = Field(ge=0)
    sha256: Digits


class Reference(BaseModel):
    """A version, by its path below the data root and the checksum that its manifest must have."""

    path: Place
    sha256: Digits


class Made(BaseModel):
    """The files of a version, and what it was made from."""

    files: dict[FileName, Bytes]
    inputs: dict[str, Reference] = {}
    earlier: list[Reference] = []  # versions of older batches that it continues or carries from


class Manifest(Made):
    """manifest.json."""

    stage: str
    batch: str
    version: str


class Sealed(Reference, Made):
    """A sealed version, as results and answers name it."""


class Claimed(StageError):
    """The folder of a version exists already."""

    exit_status = os.EX_CANTCREAT


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Make the folder of a version, which nobody else may have made; when its stage fails, it is removed."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir()
    except OSError as error:
        if not os.path.lexists(folder):
            raise not_written(folder, error) from error
        raise Claimed(
            f"{folder}: exists already, because another container writes this version or has written it; "
            "the next attempt has a folder of its own"
        ) from error
    try:
        yield
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)  # a full disk must not stay full
        raise


def seal(
    folder: Path, path: str, stage: str, inputs: Mapping[str, Reference], earlier: Sequence[Reference] = ()
) -> Sealed:
    """Write the manifest of a folder that is, or will be, the version `path`. Its files become read-only."""
    files = {}
    for file in sorted(folder.iterdir()):
        with suppress(PermissionError):  # a link to a file that another user has written
            file.chmod(0o444)
        files[file.name] = Bytes(size=file.stat().st_size, sha256=digest(file))
    _, batch, version = path.split("/")
    manifest = Manifest(
        stage=stage, batch=batch, version=version, files=files, inputs=dict(inputs), earlier=list(earlier)
    )
    text = manifest.model_dump_json(indent=1) + "\n"
    write_atomic(folder / MANIFEST, lambda temporary: temporary.write_text(text))
    (folder / MANIFEST).chmod(0o444)
    flush(folder)
    flush(folder.parent)
    return sealed(path, sha256(text.encode()).hexdigest(), manifest)


def sealed(path: str, checksum: str, made: Made) -> Sealed:
    """Return how a version is named in results and answers."""
    return Sealed(path=path, sha256=checksum, files=made.files, inputs=made.inputs, earlier=made.earlier)
