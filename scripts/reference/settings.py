"""The settings, a page for each file of env/example, which documents every key; tests hold it to the code."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from scripts.reference.allowed import allowed
from scripts.reference.markdown import code, page, prose, table

FILES = {  # by the file, in the order of the index
    "airflow": "Settings of Airflow and the orchestration",
    "api": "Settings of the API and the page",
    "ingestion": "Settings of the ingestion stage",
    "scorer": "Settings of the scoring stage",
    "sentiment": "Settings of the sentiment stage",
    "evaluation": "Settings of the evaluation stage",
    "trainer": "Settings of the training stage",
    "compose": "Settings of Docker Compose",
}
SECTION = re.compile(r"# --- (.+?) -+$")
KEY = re.compile(r"(# )?([A-Z][A-Z0-9_]*)=(.*)$")
HEADINGS = ("key", "default", "allowed", "meaning")


@dataclass
class Section:
    """A part of an env file: its title, what it says of itself, and its keys with value and meaning."""

    title: str
    notes: list[str] = field(default_factory=list)
    keys: list[tuple[str, str, str]] = field(default_factory=list)


def pages(root: Path) -> dict[str, str]:
    """Return a page for each env file."""
    bounds = allowed()
    folder = root / "env" / "example"
    names = [*FILES, *sorted({file.stem for file in folder.glob("*.env")} - FILES.keys())]
    return {
        f"settings/{name}.md": _page(name, (folder / f"{name}.env").read_text(), bounds) for name in names
    }


def _page(name: str, text: str, bounds: dict[str, str]) -> str:
    first, *rest = sections(text)
    title = FILES.get(name, f"Settings of {name}")
    file = ".env" if name == "compose" else f"env/<profile>/{name}.env"
    lead = f"The keys of `{file}`."
    return page(
        title, [lead, *(prose(note) for note in first.notes), *_parts(first, bounds), *_of(rest, bounds)]
    )


def _of(found: list[Section], bounds: dict[str, str]) -> Iterator[str]:
    for section in found:
        title, _, more = section.title.partition("; ")
        yield f"## {title}"
        yield prose(f"{more[:1].upper()}{more[1:]}." if more else "")
        yield from map(prose, section.notes)
        yield from _parts(section, bounds)


def _parts(section: Section, bounds: dict[str, str]) -> Iterator[str]:
    rows = ((code(key), code(value), bounds.get(key, ""), prose(what)) for key, value, what in section.keys)
    yield table(HEADINGS, rows)


def sections(text: str) -> list[Section]:
    """Return the sections of an env file; the first one is what stands before the first title."""
    found, comment = [Section("")], list[str]()
    for line in [*text.splitlines(), ""]:
        if title := SECTION.fullmatch(line):
            found.append(Section(title[1]))
        elif key := KEY.fullmatch(line):
            found[-1].keys.append((key[2], key[3], " ".join(comment)))
            comment = []
        elif line.startswith("#") and line.strip("# "):
            comment.append(line.removeprefix("# "))
        elif comment:  # a blank line: no key follows
            found[-1].notes.append(" ".join(comment))
            comment = []
    return found
