"""The record of published grades: a row for each symbol of each session that was graded.

It goes on from the record of the evaluation before, so that it outlives the grades themselves. Grades of
older batches that were published since, or again, take their place in it: what counts of a batch is its
newest published version, and of a session its newest batch.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl

from apps.api.records import read_grades
from apps.common.stage import BadData, Batch
from apps.common.versions import Version, earlier, input_of

FILE = "record.parquet"
GRADES = "grades.json"
FIGURES = ("composite", "score", "momentum", "value", "quality", "sentiment")
SCHEMA = pl.Schema(
    {
        "session": pl.Date(),
        "batch": pl.String(),
        "version": pl.String(),  # checksum of the version of the grades; empty for grades without one
        "symbol": pl.String(),
        "rank": pl.Int32(),
        "letter": pl.String(),
        **dict.fromkeys(FIGURES, pl.Float32()),  # it grows for years, and ranks need no more
    }
)

LIMITS = (  # what the record cannot know
    "It knows no costs. A return starts at the close that a grade is made of, hours before it is published.",
    "Grades that were published late or again count as if they had been there in time.",
    "A symbol that has no prices any more has no return, even if it lost all its value.",
)

log = logging.getLogger("evaluation")


class Record(NamedTuple):
    """The rows of a record, by session and rank, and what it was made from."""

    rows: pl.DataFrame
    unread: int  # older batches whose grades are published, but cannot be read
    continued: Sequence[Version]  # the evaluation that it goes on from

    @property
    def newest(self) -> pl.DataFrame:
        """The rows of the newest batch, which is the one that is evaluated."""
        return self.rows.filter(pl.col("batch") == pl.col("batch").max())


def record_of(batch: Batch) -> Record:
    """Return the record up to the batch, with the batch. Raises BadData when its grades cannot be read."""
    own = _rows(_grades(batch), batch.key)
    carried, continued = _carried(batch)
    known = set(zip(carried["batch"], carried["version"], strict=True))
    news, unread = [], 0
    for version in earlier(batch, "grades", "grades"):
        if (version.batch, version.sha256) in known:
            continue
        try:
            news.append(_rows(version, version.batch))
        except BadData as error:
            # those of a batch that was removed are on the record, or were before there was one
            if version.folder.exists():
                log.warning("warning: passed over: %s", error)
                unread += 1
    if own.is_empty():
        raise BadData(f"the grades of batch {batch.key} are empty; run the grading DAG again for this batch")
    published = pl.concat([*news, own])
    kept = carried.join(published.select("batch").unique(), on="batch", how="anti")
    rows = pl.concat([kept, published])
    newest = pl.col("batch") == pl.col("batch").max().over("session")
    return Record(rows.filter(newest).sort("session", "rank"), unread, continued)


def _grades(batch: Batch) -> Version:
    """Return the version of the batch's grades; without a checksum for an API that keeps no versions."""
    return input_of(batch, "grades", "grades")


def _rows(version: Version, key: str) -> pl.DataFrame:
    """Return the rows of the grades of a batch. Raises BadData."""
    # an API that keeps no versions writes grades/<batch>.json
    path = version.file(GRADES) if version.sha256 else version.folder.with_suffix(".json")
    if not path.is_file():
        raise BadData(f"{path}: missing; run the grading DAG again for this batch, which makes this file")
    grades = read_grades(path)
    about = (grades.as_of, key, version.sha256)
    rows = [
        (*about, row.symbol, row.rank, row.grade, *(getattr(row, name) for name in FIGURES))
        for row in grades.grades
    ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _carried(batch: Batch) -> tuple[pl.DataFrame, Sequence[Version]]:
    """Return the record of the newest evaluation before the batch that can be read."""
    for version in earlier(batch, "evaluations", "evaluations"):
        try:
            return _read(version.file(FILE)), (version,)
        except BadData as error:
            log.warning("warning: the record does not go on from %s: %s", version.folder, error)
    return pl.DataFrame(schema=SCHEMA), ()


def _read(path: Path) -> pl.DataFrame:
    try:
        frame = pl.read_parquet(path, glob=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise BadData(f"{path} is unreadable: {str(error).strip().partition(chr(10))[0]}") from error
    if frame.schema != SCHEMA:
        raise BadData(f"{path}: columns are {frame.schema}, expected {SCHEMA}")
    return frame


def prices_of(batch: Batch) -> Version:
    """Return the prices that the batch's grades were made from, as the grades' manifest names them.

    Those of the batch's folder for grades without a version. Raises Changed for another manifest than was
    published.
    """
    grades = _grades(batch)
    named = grades.manifest().inputs.get("prices") if grades.sha256 else None
    if named is None:
        return Version(batch.folder("prices"))
    return Version(batch.data_dir / named.path, named.sha256)
