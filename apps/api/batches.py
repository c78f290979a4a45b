"""Batch keys, markets, and what is on disk for each batch."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from apps.common.batches import is_key


def check_key(key: str) -> str:
    """Return `key` when it is a batch key in its one spelling; raises ValueError.

    The key becomes part of a path: what survives the round trip holds digits, dashes, colons and a T only.
    """
    if not is_key(key):
        raise ValueError("not a batch key; expected a UTC time such as 2026-11-22T06:00:00")
    return key


BatchKey = Annotated[str, AfterValidator(check_key)]


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
    """The files of one batch that the API reads, and the one it writes."""

    data_dir: Path
    key: str

    @property
    def prices(self) -> Path:
        """Closes, written by the ingestion stage; only the sparklines need them."""
        return self.data_dir / "prices" / self.key / "prices.parquet"

    @property
    def scores(self) -> Path:
        """Scores, written by the scoring stage."""
        return self.data_dir / "prices" / self.key / "scores.parquet"

    @property
    def sentiment(self) -> Path:
        """Sentiment, written by the sentiment stage."""
        return self.data_dir / "company_reports" / self.key / "sentiment.json"

    @property
    def grades(self) -> Path:
        """Grades, written by the API."""
        return self.data_dir / "grades" / f"{self.key}.json"

    def known(self) -> bool:
        """Return whether any stage has written something for this batch."""
        return self.scores.parent.is_dir() or self.sentiment.parent.is_dir()

    def missing(self) -> list[str]:
        """Return what grading still waits for: each missing file with the stage that writes it."""
        halves = (("scoring", self.scores), ("sentiment", self.sentiment))
        return [
            f"{path.relative_to(self.data_dir)} ({stage} stage)"
            for stage, path in halves
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
