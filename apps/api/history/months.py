"""The files of the record: grades/history/<YYYY-MM>.parquet, and how one is written and read.

A row is a symbol's grade in a batch. A batch that is shown again adds a set of rows; the newest set counts.
What a file holds is listed in its metadata, so that nobody has to read all rows to know it. Rows are sorted
by symbol, so that a reader of one symbol skips all others. A file is compared with its seal before it is
read, so that no damage passes for grades.

Columns may come in later versions: one that a file lacks is null, one that is not known here is kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from io import BytesIO
from pathlib import Path

import polars as pl
from pydantic import BaseModel, TypeAdapter, ValidationError

from apps.api.history.faults import Damaged, NotRead, fault, first_line
from apps.api.history.rows import SCHEMA
from apps.common.compared import Marks, marks
from apps.common.parquet import is_sealed, write_parquet

LISTED = "rankalpha.sets"  # key in a file's metadata
# what a reader of one symbol has to look at, and to decompress: small, but not so small that lists of it grow
LAYOUT = {"row_group_size": 8_192, "data_page_size": 8_192}  # rows, bytes


class Shown(BaseModel):
    """A set of rows: the grades of a batch as they were shown once."""

    batch: str
    shown_at: datetime  # its rows have the same
    as_of: date
    session: date | None = None
    graded_at: datetime
    symbols: int
    distribution: dict[str, int]
    version: str | None = None  # path of the version of grades
    checksum: str  # of the file that was shown


SETS = TypeAdapter(list[Shown])


@dataclass(frozen=True)
class Month:
    """One file."""

    path: Path

    @property
    def name(self) -> str:
        """The month: 2026-11."""
        return self.path.stem

    def sets(self) -> list[Shown]:
        """Return what was shown, oldest first; nothing without the file. Raises Damaged and NotRead."""
        found = marks(self.path)
        return list(_sets(self.path, found)) if found else []

    def current(self) -> dict[str, Shown]:
        """Return the set that counts of each batch. Raises Damaged."""
        return {shown.batch: shown for shown in self.sets()}

    def scan(self) -> pl.LazyFrame:
        """Return the rows of all sets, to be read as far as they are needed."""
        return pl.scan_parquet(
            self.path, glob=False, schema=SCHEMA, missing_columns="insert", extra_columns="ignore"
        )

    def rows(self, *wanted: pl.Expr) -> pl.DataFrame:
        """Return the rows that count and fulfil what is wanted. Raises Damaged."""
        return rows_of_all([self], *wanted)

    def add(self, sets: Sequence[tuple[Shown, pl.DataFrame]]) -> None:
        """Add sets and their rows; a reader sees the old file or the new. Raises Damaged and NotWritten."""
        before, frame = self.sets(), SCHEMA.to_frame()
        try:
            frame = pl.read_parquet(self.path, glob=False) if before else frame
            rows = (each.select(SCHEMA.names()) for _, each in sets)
            frame = pl.concat([frame, *rows], how="diagonal").sort("symbol", "batch", "shown_at")
        except (pl.exceptions.PolarsError, OSError) as error:
            raise fault(self.path, error) from error
        text = SETS.dump_json([*before, *(shown for shown, _ in sets)]).decode()
        write_parquet(self.path, frame, {LISTED: text}, **LAYOUT, sealed=True)


def rows_of_all(
    some: Sequence[Month], *wanted: pl.Expr, columns: Sequence[str] = tuple(SCHEMA)
) -> pl.DataFrame:
    """Return the rows of months that count and fulfil what is wanted, read at once. Raises Damaged.

    `columns` are those that are needed, `batch` and `shown_at` among them.
    """
    counting = [(month, month.current()) for month in some]
    there = [month for month, current in counting if current]
    queries = [month.scan().filter(*wanted).select(columns) for month in there]
    try:
        frames = pl.collect_all(queries)
    except (pl.exceptions.PolarsError, OSError):
        frames = [_rows(month, query) for month, query in zip(there, queries, strict=True)]
    rows = pl.concat([SCHEMA.to_frame().select(columns), *frames])
    # also without a set that is superseded: a file may have got one since its sets were listed
    sets = [(shown.batch, shown.shown_at) for _, current in counting for shown in current.values()]
    known = pl.DataFrame(sets, {name: SCHEMA[name] for name in ("batch", "shown_at")}, orient="row")
    return rows.join(known, on=["batch", "shown_at"], how="semi", maintain_order="left")


def _rows(month: Month, query: pl.LazyFrame) -> pl.DataFrame:
    try:
        return query.collect()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise fault(month.path, error) from error


@lru_cache(maxsize=256)
def _sets(path: Path, _marks: Marks) -> tuple[Shown, ...]:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise NotRead(path, error) from error
    if not is_sealed(content):
        raise Damaged(path, "its bytes are not those that were written")
    try:
        return tuple(SETS.validate_json(pl.read_parquet_metadata(BytesIO(content))[LISTED]))
    except KeyError as error:
        raise Damaged(path, "its metadata do not list what it holds") from error
    except (pl.exceptions.PolarsError, ValidationError) as error:
        raise Damaged(path, first_line(error)) from error
