"""Markdown as the pages of the reference need it."""

import re
from collections.abc import Iterable, Sequence

MARK = "<!-- written by `make reference`: change the code, not this page -->"
CODE = re.compile(r"(`[^`]*`)")
PLACEHOLDER = re.compile(r"<([A-Za-z_]+)>")


def page(title: str, parts: Iterable[str]) -> str:
    """Return a page of a title and paragraphs, tables and headings."""
    return "\n\n".join([MARK, f"# {title}", *(part for part in parts if part)]) + "\n"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table without the columns that are empty in every row; empty without rows."""
    listed = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    used = [column for column in range(len(headings)) if any(row[column] for row in listed)]
    lines = [[headings[column] for column in used], ["---"] * len(used)]
    lines += [[row[column] for column in used] for row in listed]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) if listed else ""


def code(text: object) -> str:
    """Return a text as code; empty for an empty one."""
    fence = "``" if "`" in str(text) else "`"
    return f"{fence}{text}{fence}" if str(text) else ""


def prose(text: str) -> str:
    """Return a text whose `<placeholders>` are no HTML."""
    parts = CODE.split(text)
    return "".join(part if part.startswith("`") else PLACEHOLDER.sub(r"`<\1>`", part) for part in parts)
