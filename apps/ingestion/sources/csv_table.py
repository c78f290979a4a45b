"""One CSV file as people have it, as a table of closes; a file that is ambiguous is refused."""

import re
from pathlib import Path

import polars as pl

from apps.common.stage import BadData
from apps.ingestion.sources.csv_numbers import closes

SEPARATORS = ",;\t|"
ADJUSTED = (
    "adjclose",
    "adjustedclose",
    "closeadj",
    "closeadjusted",
)  # taken before `close` where it is there
ENCODINGS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}  # by their mark
NO_PRICE = "null"  # Yahoo's own export writes it for a day without trading
FORMAT = "%Y-%m-%d"
DAY = r"^\s*(\d{4}-\d{2}-\d{2})(?:[T ].*)?$"  # a time after it, as pandas writes it, is left out
EXCEL = re.compile(r'"?sep=(.)"?\n')
LONGEST = 80  # characters of a file that a message shows


def read_prices(path: Path, symbol: str | None = None) -> pl.DataFrame:
    """Return symbol (by default the file's stem), date and close of one CSV file, sorted by date.

    Dates are ISO (2026-11-22, a time may follow), closes positive numbers; an adjusted close goes before a
    close. The names of columns may have any case; further columns, blank lines and days whose close is `null`
    are ignored. Separators: comma, semicolon, tab or bar. Raises BadData naming the file, line and column.
    """
    table, day, close = _columns(path, _text(path))
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
    return cells.str.extract(DAY).str.to_date(FORMAT, strict=False) if dates.has_nulls() else dates


def _text(path: Path) -> str:
    """Return the file's text with plain line ends."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadData(f"{path}: not readable ({error.strerror}); check the file") from error
    encoding = next((name for mark, name in ENCODINGS.items() if data.startswith(mark)), "utf-8")
    text = data.decode(encoding, errors="replace")  # other columns do not matter
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _columns(path: Path, text: str) -> tuple[pl.DataFrame, str, str]:
    """Return the table as text, with `line`, and the names of its columns of days and closes."""
    first = 1
    if declared := EXCEL.match(text):  # Excel's own first line
        text, first = text[declared.end() :], 2
    separator = declared[1] if declared else max(SEPARATORS, key=text.split("\n", 1)[0].count)
    try:
        table = pl.read_csv(text.encode(), separator=separator, infer_schema=False)
    except (pl.exceptions.PolarsError, UnicodeError) as error:
        reason = str(error).splitlines()[0][:LONGEST]
        raise BadData(f"{path}: not readable ({reason}); save it as CSV with columns date,close") from error
    return table.with_row_index("line", offset=first + 1), *_named(path, table.columns)


def _named(path: Path, columns: list[str]) -> tuple[str, str]:
    plain = {column: re.sub(r"_duplicated_\d+$|[^a-z]", "", column.lower()) for column in columns}
    listed = ", ".join(columns)[:LONGEST]
    chosen = []
    for wanted in (("date",), ADJUSTED, ("close",)):
        names = [column for column, name in plain.items() if name in wanted]
        if len(names) > 1:
            raise BadData(
                f"{path}: line 1 has {len(names)} columns {wanted[0]!r} ({listed}); keep one of them"
            )
        chosen.append(names[0] if names else "")
    day, adjusted, close = chosen
    for name, column in (("date", day), ("close", adjusted or close)):
        if not column:
            raise BadData(f"{path}: no column {name!r} in line 1 ({listed}); add it")
    return day, adjusted or close


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
