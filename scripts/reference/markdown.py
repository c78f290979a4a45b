"""Markdown as the pages of the reference need it."""

import re
from collections.abc import Iterable, Sequence

MARK = "<!-- written by `make reference`: change the code, not this page -->"
CODE = re.compile(r"(`[^`]*`)")
# what a comment names without quotes: a key, perhaps with a value, a file, or a placeholder
NAME = re.compile(
    r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+(?:=[\w<>-]+)?"
    r"|[\w./-]*\w\.(?:py|yml|toml|env|csv)\b"
    r"|[\w./-]*<[A-Za-z_]+>[\w/-]*(?:\.\w+)?"
)


def page(title: str, parts: Iterable[str]) -> str:
    """Return a page of a title and paragraphs, tables and headings."""
    return "\n\n".join([f"# {title}", MARK, *(part for part in parts if part)]) + "\n"


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
    """Return a text with its keys, files and `<placeholders>` as code."""
    parts = CODE.split(text)
    return "".join(part if part.startswith("`") else NAME.sub(r"`\g<0>`", part) for part in parts)
