"""What is behind a grade: headlines and closes. They are in the batch's files, which are removed in time."""

from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import BaseModel, TypeAdapter, ValidationError

from apps.api.batches import READ, BatchFiles
from apps.api.history.months import Shown
from apps.api.history.symbol_answers import Close, Headline
from apps.common.compared import Marks, marks
from apps.common.files import digest
from apps.common.manifest import MANIFEST
from apps.common.stage import BadData
from apps.common.versions import Version


class Entry(BaseModel):
    """What is read of one symbol in sentiment.json."""

    symbol: str
    titles: list[Headline] | None = None


class Report(BaseModel):
    """What is read of sentiment.json."""

    symbols: list[Entry]


REPORT = TypeAdapter(Report)
CLOSES = TypeAdapter(list[Close])


def headlines(
    files: BatchFiles, batch: Shown, row: Mapping[str, Any], missing: list[str]
) -> list[Headline] | None:
    """Return the headlines behind a symbol's sentiment; None, with the reason in `missing`, if not known."""
    if not row["headlines"]:
        return []
    path = _path(files, batch, "sentiment", missing)
    if path is None:
        return None
    try:
        titles = _titles(path, marks(path)).get(row["symbol"])
    except (ValidationError, OSError):
        missing.append(f"headlines: {path.relative_to(files.data_dir)} cannot be read")
        return None
    if titles is None:
        missing.append("headlines: the sentiment stage of this batch did not keep them")
    return titles


def prices(files: BatchFiles, batch: Shown, symbol: str, most: int, missing: list[str]) -> list[Close] | None:
    """Return a symbol's newest closes, oldest first; None, with the reason in `missing`, if not known."""
    path = _path(files, batch, "prices", missing)
    if path is None:
        return None
    try:
        some = pl.scan_parquet(path, glob=False).filter(pl.col("symbol") == symbol)
        rows = some.select("date", "close").sort("date").tail(most).collect()
    except (pl.exceptions.PolarsError, OSError):
        missing.append(f"prices: {path.relative_to(files.data_dir)} cannot be read")
        return None
    return CLOSES.validate_python(rows.to_dicts())


def sources(files: BatchFiles, batch: Shown) -> list[Path]:
    """Return the files that headlines and closes are read from, whether they are there or not."""
    found = [files.data_dir / batch.version / MANIFEST] if batch.version else []
    for dataset in ("prices", "sentiment"):
        with suppress(BadData, OSError):  # its reader reports it
            if version := _version(files, batch, dataset):
                found.append(version.folder / READ[dataset][1])
    return found


def _path(files: BatchFiles, batch: Shown, dataset: str, missing: list[str]) -> Path | None:
    """Return the file of a dataset that the grades were made from, if its bytes are those of that time."""
    try:
        version = _version(files, batch, dataset)
        if version is None:
            missing.append(f"{dataset}: the scores do not say which version they were made from")
            return None
        path = version.folder / READ[dataset][1]
        if not path.is_file():
            missing.append(f"{dataset}: the files of this batch were removed")
            return None
        _verified(version, READ[dataset][1], marks(path))
    except (BadData, OSError) as error:
        missing.append(f"{dataset}: {error}")
        return None
    return path


def _version(files: BatchFiles, batch: Shown, dataset: str) -> Version | None:
    if batch.version is None:
        return files.version(dataset)
    manifest = files.data_dir / batch.version / MANIFEST
    if not manifest.is_file():
        return Version(manifest.parent)  # removed with its batch
    inputs = _inputs(files, manifest, marks(manifest))
    return inputs.version(dataset) if dataset in inputs.inputs else None


@lru_cache(maxsize=64)
def _inputs(files: BatchFiles, manifest: Path, _marks: Marks) -> BatchFiles:
    version = Version(manifest.parent, digest(manifest))
    return files.reading(version.manifest().inputs)


@lru_cache(maxsize=64)
def _verified(version: Version, name: str, _marks: Marks) -> None:
    """Compare a file with what was published, once for as long as it stays the same. Raises Changed."""
    version.file(name)


@lru_cache(maxsize=4)
def _titles(path: Path, _marks: Marks) -> dict[str, list[Headline] | None]:
    return {entry.symbol: entry.titles for entry in REPORT.validate_json(path.read_bytes()).symbols}
