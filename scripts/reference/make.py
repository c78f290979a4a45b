"""The targets of make, from the Makefile."""

import re
from collections.abc import Iterator
from pathlib import Path

from scripts.reference.markdown import code, page, prose, table

TARGET = re.compile(r"(?m)^([a-z-]+):.*?## (.+)$")


def pages(root: Path) -> dict[str, str]:
    """Return the page of make's targets."""
    return {"make.md": page("Targets of make", _parts((root / "Makefile").read_text()))}


def _parts(makefile: str) -> Iterator[str]:
    yield "`make` installs what a target needs, and then does it."
    yield "A target hands `ARGS` on to its [command](commands/stack.md), and settings to the stack:"
    yield '```console\n$ make rerun ARGS="--day 2026-11-22"\n$ make up RANKALPHA_AIRFLOW_PORT=8081\n```'
    yield table(
        ("target", "what it does"),
        ((code(f"make {target}"), prose(what)) for target, what in TARGET.findall(makefile)),
    )
