"""Closes with a decimal point or a decimal comma: which of the two a file has, or that it is ambiguous."""

from pathlib import Path

import polars as pl

from apps.common.stage import BadData

PLAIN = r"^[+-]?\d+$"
POINT = r"^[+-]?(\d*\.\d*|\d{1,3}(,\d{3})+\.\d*)$"  # 1.5 or 1,234.5
COMMA = r"^[+-]?(\d*,\d*|\d{1,3}(\.\d{3})+,\d*)$"  # 1,5 or 1.234,5
# 1,234 or 1.234 without another hint; no number of thousands begins with 0
EITHER = r"^[+-]?[1-9]\d{0,2}([.,])\d{3}$"
# 1 234,5 or 1'234.5: the mark is a decimal one
GROUPS = r"[ '\u2019\u00a0\u202f]"
GROUPED = rf"^[+-]?\d{{1,3}}(?:{GROUPS}\d{{3}})+(?:[.,]\d*)?$"
THOUSANDS = r"^[+-]?[1-9]\d{0,2}([.,])\d{3}(?:([.,])\d{3})+$"  # 1,234,567: the mark cannot be a decimal one


def closes(path: Path, table: pl.DataFrame) -> pl.Series:
    """Return the second column of `table` (line, text) as numbers, null where it is not one.

    A decimal comma is taken when some number of the file can be nothing else and none has a decimal point.
    Raises BadData for a file whose numbers contradict each other, or could all be thousands.
    """
    cells = table[:, 1]
    numbers = cells.cast(pl.Float64, strict=False)  # as programs write it: 1.234 is little more than 1
    if not numbers.has_nulls():
        return numbers
    grouped = cells.str.contains(GROUPED)
    cells = cells.str.replace_all(GROUPS, "").zip_with(grouped.fill_null(value=False), cells)
    if not cells.str.contains(",", literal=True).any():
        return cells.cast(pl.Float64, strict=False)
    either = cells.str.contains(EITHER)
    comma = cells.str.contains(COMMA) & ~either
    point = cells.str.contains(POINT) & ~either
    thousands = cells.str.contains(THOUSANDS)
    comma |= thousands & cells.str.contains(".", literal=True)
    point |= thousands & cells.str.contains(",", literal=True)
    if comma.any() and point.any():
        later = comma if point.to_list().index(True) < comma.to_list().index(True) else point
        raise BadData(_message(path, table, later, "contradicts"))
    if not comma.any() and not point.any():
        raise BadData(_message(path, table, cells.str.contains(",", literal=True), "ambiguous"))
    mark, other = (",", ".") if comma.any() else (".", ",")
    plain = cells.str.replace_all(other, "", literal=True).str.replace(mark, ".", literal=True)
    return plain.cast(pl.Float64, strict=False)


def _message(path: Path, table: pl.DataFrame, faulty: pl.Series, why: str) -> str:
    line, cell = table.filter(faulty).row(0)
    reasons = {
        "contradicts": "lines before it have the other decimal mark; write all numbers with a decimal point",
        "ambiguous": "thousands or decimals? Write the numbers with a decimal point and nothing else",
    }
    return f"{path}: line {line}, column {table.columns[1]!r}: {cell[:80]!r}; {reasons[why]}"
