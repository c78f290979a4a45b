"""Prices from a folder of the user's: one <SYMBOL>.csv a symbol with the columns date and close."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import polars as pl

from apps.common.stage import BadConfig, BadData
from apps.ingestion.settings import SYMBOL


class CsvSource:
    """Reads the files whole each time: a correction anywhere in a file reaches the next batch."""

    name = "csv"
    replayed = False

    def __init__(self, folder: Path | None, symbols: Sequence[str] = ()) -> None:
        """Take the given symbols or all files of `folder`; raise BadConfig or BadData when there are none."""
        if folder is None or not folder.is_dir():
            raise BadConfig(
                f"INGESTION_CSV_DIR={str(folder or '')!r} is no folder: give that of the CSV files"
            )
        self._folder = folder
        self.symbols = sorted(symbols) or sorted(path.stem for path in folder.glob("*.csv"))
        if not self.symbols:
            raise BadData(f"{folder}: no CSV file in it; add <SYMBOL>.csv files with columns date,close")
        for symbol in self.symbols:
            if not SYMBOL.fullmatch(symbol):
                raise BadData(f"{folder / symbol}.csv: {symbol!r} is no symbol; rename it, like AAPL.csv")

    def fetch(self, symbols: Sequence[str], since: Mapping[str, date]) -> pl.DataFrame:  # noqa: ARG002
        """See `Source.fetch`; returns all days: reading only the end of a file would save nothing."""
        return pl.concat([read_prices(self._folder / f"{symbol}.csv") for symbol in symbols])


def read_prices(path: Path) -> pl.DataFrame:
    """Return symbol (the file's stem), date and close of one CSV file, sorted by date.

    Dates are ISO (2026-11-22), closes positive numbers; further columns and blank lines are ignored. Raises
    BadData naming the file, line and column.
    """
    if not path.is_file():
        raise BadData(f"{path}: missing; add the file or take {path.stem} out of INGESTION_SYMBOLS")
    try:
        text = pl.read_csv(path, infer_schema=False, glob=False)
    except (pl.exceptions.PolarsError, OSError, UnicodeError) as error:
        reason = str(error).splitlines()[0]
        fix = "save it as UTF-8 CSV with columns date,close"
        raise BadData(f"{path}: not readable ({reason}); {fix}") from error
    for column in ("date", "close"):
        if column not in text.columns:
            raise BadData(f"{path}: no column {column!r} in line 1 ({', '.join(text.columns)}); add it")
    text = text.with_row_index("line", offset=2).filter(~pl.all_horizontal(pl.col(text.columns).is_null()))
    if text.is_empty():
        raise BadData(f"{path}: no rows below line 1; add prices or remove the file")
    parsed = text.select(
        pl.lit(path.stem).alias("symbol"),
        pl.col("date").str.strip_chars().str.to_date("%Y-%m-%d", strict=False),
        pl.col("close").str.strip_chars().cast(pl.Float64, strict=False),
    )
    _check_lines(path, text, parsed)
    return parsed.sort("date")


def _check_lines(path: Path, text: pl.DataFrame, parsed: pl.DataFrame) -> None:
    """Raise BadData for the first row without a date or positive close, or with a date seen before."""
    day, close = pl.col("date"), pl.col("close")
    faults = [
        ("date", day.is_null(), "write a date like 2026-11-22"),
        ("close", ~(close.is_finite() & (close > 0)).fill_null(value=False), "write a positive number"),
        ("date", ~day.is_first_distinct(), "this date is there already; keep one line a date"),
    ]
    for column, faulty, fix in faults:
        rows = text.filter(parsed.select(faulty).to_series())
        if not rows.is_empty():
            line, found = rows.select("line", column).row(0)
            raise BadData(f"{path}: line {line}, column {column!r}: {found!r}; {fix}")
