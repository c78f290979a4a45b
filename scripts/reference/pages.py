"""All pages of the reference, and the one that leads to them."""

import re
from collections.abc import Iterator
from pathlib import Path

from scripts.reference import alerts, api, commands, dags, datasets, make, metrics, settings
from scripts.reference.markdown import page, table

SUBJECTS = (settings, commands, make, dags, datasets, api, metrics, alerts)
TITLE = re.compile(r"(?m)^# (.+)$")


def pages(root: Path) -> dict[str, str]:
    """Return the text of each page by its path below docs/reference."""
    found = {name: text for subject in SUBJECTS for name, text in subject.pages(root).items()}
    return found | {"index.md": page("Reference", [*_index(found)])}


def _index(found: dict[str, str]) -> Iterator[str]:
    yield "What there is, by subject. `make reference` writes these pages from the code."
    yield "[Settings](../guides/settings.md) says which value wins."
    yield table(
        ("page", "what it holds"),
        ((f"[{_title(text)}]({name})", _first(text)) for name, text in found.items()),
    )


def _title(text: str) -> str:
    match = TITLE.search(text)
    return match[1] if match else ""


def _first(text: str) -> str:
    """Return the first paragraph of a page, after its title and the mark."""
    return text.split("\n\n")[2].strip()
