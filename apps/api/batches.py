"""Batch keys, markets, and what is on disk for each batch."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from apps.common.batches import is_key
from apps.common.manifest import Reference
from apps.common.universe import UNIVERSE
from apps.common.versions import Version


def check_key(key: str) -> str:
    """Return `key` when it is a batch key in its one spelling; raises ValueError.

    The key becomes part of a path: what survives the round trip holds digits, dashes, colons and a T only.
    """
    if not is_key(key):
        raise ValueError("not a batch key; expected a UTC time such as 2026-11-22T06:00:00")
    return key


BatchKey = Annotated[str, AfterValidator(check_key)]


# what grading reads of each dataset: volume and file
READ = {
    "prices": ("prices", "prices.parquet"),
    "scores": ("prices", "scores.parquet"),
    "sentiment": ("company_reports", "sentiment.json"),
}
DEFAULT_MARKET = "default"  # its data are in the data root itself


def check_market(name: str) -> str:
    """Return `name` when it is a valid name of a market; raises ValueError. It becomes part of a path."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name):
        raise ValueError("not a name of a market; expected lower-case letters, digits and underscores")
    return name


def listed(markets: Path) -> set[str] | None:
    """Return the names in the file of the markets; None when it cannot be read, which others report."""
    try:
        return set(tomllib.loads(markets.read_text()))
    except (OSError, ValueError):
        return None


MarketName = Annotated[str, AfterValidator(check_market)]


@dataclass(frozen=True)
class BatchFiles:
    """The files of one batch: those that the API reads, and the one that is shown."""

    data_dir: Path
    key: str
    # versions to read; what has none is read from the batch's folder, as it was before there were versions
    inputs: Mapping[str, Reference] = field(default_factory=dict, hash=False)

    def version(self, dataset: str) -> Version:
        """Return where a dataset is read."""
        if given := self.inputs.get(dataset):
            return Version(self.data_dir / given.path, given.sha256)
        return Version(self.data_dir / READ[dataset][0] / self.key)

    def path(self, dataset: str) -> Path:
        """Return the file to read of a dataset. Raises Changed unless its bytes are those of the version."""
        return self.version(dataset).file(READ[dataset][1])

    def prices(self) -> Path | None:
        """Return the prices that the scores were made from; None when that is not known."""
        return self.path("prices") if "prices" in self.inputs or "scores" not in self.inputs else None

    def universe(self) -> Path | None:
        """Return the names and sectors that came with the prices; None without. Raises Changed."""
        known = "prices" in self.inputs or "scores" not in self.inputs
        return self.version("prices").file_if_any(UNIVERSE) if known else None

    def reading(self, inputs: Mapping[str, Reference]) -> "BatchFiles":
        """Return the batch with these versions, and the version of prices that its scores were made from."""
        files = replace(self, inputs=inputs)
        if "scores" in inputs and "prices" not in inputs:
            prices = files.version("scores").manifest().inputs.get("prices")
            return replace(self, inputs={**inputs, "prices": prices}) if prices else files
        return files

    @property
    def versions(self) -> Path:
        """The folder that holds a folder of each grading of the batch."""
        return self.data_dir / "grades" / self.key

    @property
    def grades(self) -> Path:
        """The grades that are shown."""
        return self.data_dir / "grades" / f"{self.key}.json"

    def known(self) -> bool:
        """Return whether any stage has written something for this batch."""
        return any((self.data_dir / volume / self.key).is_dir() for volume, _ in READ.values())

    def versioned(self) -> bool:
        """Return whether there are versions, of which only the orchestrator knows which are published."""
        folders = (self.data_dir / volume / self.key for volume, _ in READ.values())
        return any(path.is_dir() for folder in folders for path in folder.glob("*"))

    def missing(self) -> list[str]:
        """Return what grading still waits for: each missing file with the stage that writes it."""
        halves = (("scoring", "scores"), ("sentiment", "sentiment"))
        paths = ((stage, self.version(dataset).folder / READ[dataset][1]) for stage, dataset in halves)
        return [
            f"{path.relative_to(self.data_dir)} ({stage} stage)"
            for stage, path in paths
            if not path.is_file()
        ]


def batches(data_dir: Path) -> list[BatchFiles]:
    """Return every ingested batch, newest first."""
    return [BatchFiles(data_dir, key) for key in _keys(data_dir / "prices", "")]


def graded(data_dir: Path) -> list[BatchFiles]:
    """Return every graded batch, newest first."""
    return [BatchFiles(data_dir, key) for key in _keys(data_dir / "grades", ".json")]


def _keys(folder: Path, suffix: str) -> list[str]:
    names = [path.name for path in folder.glob(f"????-??-??T??:??:??{suffix}")]
    return sorted((name.removesuffix(suffix) for name in names), reverse=True)
