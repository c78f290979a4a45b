"""What readers ask of the record."""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path

import polars as pl
from fastapi import HTTPException

from apps.api.batches import BatchFiles
from apps.api.history.answers import HistoryRow
from apps.api.history.months import Month, Shown, folder_of, month_of, months, rows_of_all
from apps.api.history.moves import moves
from apps.api.history.record import catch_up
from apps.api.history.rows import FIGURES, SCHEMA
from apps.common.compared import Marks, marks

# what is shown of each batch in a symbol's history
SHOWN = {*HistoryRow.model_fields, *FIGURES, "name", "sector", "shown_at"}
OF_SYMBOL = [name for name in SCHEMA if name in SHOWN]


class Record:
    """The record of a market. Methods raise Damaged, or HTTPException for what it does not have."""

    def __init__(self, root: Path) -> None:
        """Open it; batches of before there was a record are recorded now."""
        self.root = root
        if not folder_of(root).is_dir() and (root / "grades").is_dir():
            catch_up(root)
        self.months = months(root)

    def paths(self) -> list[Path]:
        """Return the files."""
        return [month.path for month in self.months]

    def batches(self) -> list[Shown]:
        """Return what counts of each batch, newest first."""
        found = (shown for month in self.months for shown in month.current().values())
        return sorted(found, key=lambda shown: shown.batch, reverse=True)

    def batch(self, key: str | None) -> Shown:
        """Return a batch, or the newest."""
        if key:
            found = month_of(self.root, key).current().get(key)
        else:
            newest = self.months[-1].current() if self.months else {}
            found = newest[max(newest)] if newest else None
        if found:
            return found
        if key and BatchFiles(self.root, key).grades.is_file():
            raise HTTPException(404, f"batch {key} is not in the record; run make rebuild-history")
        raise HTTPException(404, f"batch {key} is not graded" if key else "no batch has been graded yet")

    def before(self, key: str) -> Shown | None:
        """Return the batch before another; None for the first."""
        for month in reversed(self.months):
            if earlier := [each for each in month.current() if each < key]:
                return month.current()[max(earlier)]
        return None

    def rows(self, batch: Shown, *wanted: pl.Expr) -> pl.DataFrame:
        """Return the rows of a batch, best first."""
        month = month_of(self.root, batch.batch)
        if wanted:
            return month.rows(pl.col("batch") == batch.batch, *wanted)
        return _rows(month, batch.batch, marks(month.path))

    def moves(self, before: Shown, after: Shown) -> pl.DataFrame:
        """Return how each symbol has moved from one batch to another, see `apps.api.history.moves`."""
        both = [month_of(self.root, shown.batch) for shown in (before, after)]
        return _moves(*both, before.batch, after.batch, tuple(marks(month.path) for month in both))

    def symbol(self, symbol: str, since: date | None, until: date | None) -> pl.DataFrame:
        """Return a symbol's rows, newest first, with how many `symbols` were ranked."""
        rows = self._rows(since, until, pl.col("symbol") == symbol, columns=OF_SYMBOL)
        counts = {shown.batch: shown.symbols for shown in self.batches()}
        ranked = pl.col("batch").replace_strict(counts, default=None, return_dtype=pl.Int32)
        return rows.with_columns(symbols=ranked).sort("batch", descending=True)

    def known(self, symbol: str) -> bool:
        """Return whether it has ever been graded."""
        return not rows_of_all(self.months, pl.col("symbol") == symbol).is_empty()

    def between(self, since: date | None, until: date | None) -> pl.DataFrame:
        """Return all rows of some days, oldest batch first, best first."""
        return self._rows(since, until).sort("batch", "rank")

    def number(self, since: date | None, until: date | None) -> int:
        """Return how many rows some days have."""
        first, last = (day.isoformat() if day else "" for day in (since, until))
        batches = (shown for shown in self.batches() if not last or shown.batch[:10] <= last)
        return sum(shown.symbols for shown in batches if shown.batch >= first)

    def _rows(
        self,
        since: date | None,
        until: date | None,
        *wanted: pl.Expr,
        columns: Sequence[str] = tuple(SCHEMA),
    ) -> pl.DataFrame:
        days = [*([pl.col("batch") >= since.isoformat()] if since else []), *_up_to(until)]
        some = [month for month in self.months if _overlaps(month, since, until)]
        return rows_of_all(some, *wanted, *days, columns=columns)


# what the ranking page asks for again and again: the newest batch and the one before it
@lru_cache(maxsize=8)
def _rows(month: Month, batch: str, _marks: Marks) -> pl.DataFrame:
    return month.rows(pl.col("batch") == batch).sort("rank")


@lru_cache(maxsize=8)
def _moves(old: Month, new: Month, before: str, after: str, found: tuple[Marks, Marks]) -> pl.DataFrame:
    return moves(_rows(old, before, found[0]), _rows(new, after, found[1]))


def _up_to(until: date | None) -> list[pl.Expr]:
    return [pl.col("batch").str.head(10) <= until.isoformat()] if until else []


def _overlaps(month: Month, since: date | None, until: date | None) -> bool:
    first, last = (day.isoformat()[:7] if day else "" for day in (since, until))
    return month.name >= first and (not last or month.name <= last)
