"""One CSV file as people have it, as a table of closes; a file that is ambiguous is refused."""

import csv
import re
from datetime import date
from pathlib import Path

import polars as pl

from apps.common.stage import BadData
from apps.ingestion.sources.csv_columns import LONGEST, NO_PRICE, named
from apps.ingestion.sources.csv_numbers import closes

SEPARATORS = ",;\t|"
ENCODINGS = {  # by the mark with which a file begins
    b"\xff\xfe\0\0": "utf-32",
    b"\0\0\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
    b"\xef\xbb\xbf": "utf-8-sig",
}
FORMAT = "%Y-%m-%d"
# year first, or it is ambiguous; a time after it, as pandas writes it, is left out
DAY = r"^\s*(\d{4}-\d{2}-\d{2}|\d{4}/\d{2}/\d{2}|\d{4}\.\d{2}\.\d{2}|\d{8})(?:[T ].*)?$"
OLDEST = date(1800, 1, 1)  # an older day has a year of two digits
SYMBOLS = ("symbol", "ticker")  # names of a column that says which symbol a line is of
QUOTED = re.compile(r'"[^"]*"')
EXCEL = re.compile(r'"?sep=(.)"?\n')


def read_prices(path: Path, symbol: str | None = None) -> pl.DataFrame:
    """Return symbol (by default the file's stem), date and close of one CSV file, sorted by date.

    Dates have the year first (2026-11-22, 2026/11/22 or 20261122, a time may follow), closes are positive
    numbers; an adjusted close goes before a close. The names of columns may have any case; further columns,
    blank lines and days whose close is `null` are ignored. Separators: comma, semicolon, tab or bar. Raises
    BadData naming the file, line and column.
    """
    table, day, close = _columns(path, _text(path))
    _check_symbol(path, table)
    blank = pl.all_horizontal(pl.col(table.columns).exclude("line").is_null())
    cells = pl.col(close).str.strip_chars()
    traded = table.with_columns(cells).filter(~blank & cells.str.to_lowercase().ne_missing(NO_PRICE))
    if traded.is_empty():
        raise BadData(f"{path}: no rows below line 1 with a price; add prices or remove the file")
    parsed = pl.DataFrame({"date": _dates(traded[day]), "close": closes(path, traded.select("line", close))})
    parsed = parsed.select(pl.lit(symbol or path.stem).alias("symbol"), "date", "close")
    _check_lines(path, traded, parsed, day, close)
    return parsed.sort("date")


def _dates(cells: pl.Series) -> pl.Series:
    dates = cells.str.to_date(FORMAT, strict=False)
    if dates.has_nulls():
        digits = cells.str.extract(DAY).str.replace_all(r"\D", "")
        dates = dates.zip_with(dates.is_not_null(), digits.str.to_date("%Y%m%d", strict=False))
    return dates.set(dates < OLDEST, None)


def _text(path: Path) -> str:
    """Return the file's text with plain line ends."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadData(f"{path}: not readable ({error.strerror}); check the file") from error
    encoding = next((name for mark, name in ENCODINGS.items() if data.startswith(mark)), "utf-8")
    if encoding == "utf-8" and b"\0" in data[:2]:  # a letter and its zero, without a mark
        encoding = "utf-16-be" if data[0] == 0 else "utf-16-le"
    text = data.decode(encoding, errors="replace")  # other columns do not matter
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _columns(path: Path, text: str) -> tuple[pl.DataFrame, str, str]:
    """Return the table as text, with `line`, and the names of its columns of days and closes."""
    stripped = text.lstrip("\n")
    text, first = stripped, 1 + len(text) - len(stripped)
    if declared := EXCEL.match(text):  # Excel's own first line
        text, first = text[declared.end() :], first + 1
    header = QUOTED.sub("", text.split("\n", 1)[0])
    separator = declared[1] if declared else max(SEPARATORS, key=header.count)
    try:
        table = pl.read_csv(text.encode(), separator=separator, infer_schema=False)
    except (pl.exceptions.PolarsError, UnicodeError) as error:
        reason = _longer(text, separator, first) or str(error).splitlines()[0][:LONGEST]
        raise BadData(f"{path}: not readable ({reason}); save it as CSV with columns date,close") from error
    numbered = table.drop("line", strict=False).with_row_index("line", offset=first + 1)
    return numbered, *named(path, numbered)


def _longer(text: str, separator: str, first: int) -> str:
    """Return which line has more cells than the first; an empty string when none has."""
    lines = csv.reader(text.split("\n"), delimiter=separator)
    try:
        columns = len(next(lines))
        for cells in lines:
            if len(cells) > columns:
                return f"line {first + lines.line_num - 1} has {len(cells)} cells, and line {first} {columns}"
    except (csv.Error, StopIteration):
        pass
    return ""


def _check_symbol(path: Path, table: pl.DataFrame) -> None:
    """Raise BadData for a file whose lines are of several symbols."""
    for column in table.columns[1:]:
        if re.sub("[^a-z]", "", column.lower()) in SYMBOLS:
            names = table.select("line", pl.col(column).str.strip_chars().str.to_uppercase()).drop_nulls()
            others = names.filter(pl.col(column) != pl.col(column).first())
            if not others.is_empty():
                (line, name), first = others.row(0), names[column][0]
                raise BadData(
                    f"{path}: line {line}, column {column!r}: {name[:LONGEST]!r} after {first[:LONGEST]!r}; "
                    "save a file <SYMBOL>.csv for each symbol"
                )


def _check_lines(path: Path, text: pl.DataFrame, parsed: pl.DataFrame, day: str, close: str) -> None:
    """Raise BadData for the first row without a date or positive close, or with a date seen before."""
    dates, values = pl.col("date"), pl.col("close")
    faults = [
        (day, dates.is_null(), "write a date like 2026-11-22"),
        (close, ~(values.is_finite() & (values > 0)).fill_null(value=False), "write a positive number"),
        (day, ~dates.is_first_distinct(), "this date occurs twice; keep one line for each date"),
    ]
    if not any(parsed.select(faulty.any().alias(fix) for _, faulty, fix in faults).row(0)):
        return
    for column, faulty, fix in faults:
        rows = text.filter(parsed.select(faulty).to_series())
        if not rows.is_empty():
            line, cell = rows.select("line", column).row(0)
            shown = cell[:LONGEST] if cell else cell
            raise BadData(f"{path}: line {line}, column {column!r}: {shown!r}; {fix}")
