"""Figures, the table that shows them and the file that keeps them."""

import json
import os
import platform
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

LATEST = Path(__file__).with_name("results") / "latest.json"
START = time.monotonic()
MOST = 30  # values that are kept of a figure


@dataclass(frozen=True)
class Figure:
    """What was measured `runs` times, in `unit`; of many values, those at equal ranks from least to worst."""

    name: str
    unit: str
    median: float
    worst: float
    runs: int
    values: tuple[float, ...]

    @classmethod
    def of(cls, name: str, unit: str, values: Iterable[float]) -> "Figure":
        """Sum up the measured values."""
        rounded = tuple(round(value, 3) for value in values)
        return cls(name, unit, round(median(rounded), 3), max(rounded), len(rounded), _some(rounded))


def _some(values: tuple[float, ...]) -> tuple[float, ...]:
    if len(values) <= MOST:
        return values
    ranked = sorted(values)
    return tuple(ranked[rank * (len(ranked) - 1) // (MOST - 1)] for rank in range(MOST))


def say(text: str) -> None:
    """Print a line of progress after the seconds since the start."""
    print(f"{time.monotonic() - START:6.1f} s  {text}", flush=True)


def minutes(seconds: float) -> str:
    """Return a time as a reader says it."""
    whole, rest = divmod(round(seconds), 60)
    return f"{whole} min {rest} s"


def show(measured: dict[str, list[Figure]]) -> None:
    """Print the figures of each part."""
    table = Table(title="RankAlpha orchestration, measured")
    for column in ("part", "figure", "median", "worst", "unit", "runs"):
        table.add_column(column, justify="right" if column in ("median", "worst", "runs") else "left")
    for part, figures in measured.items():
        for figure in figures:
            style = "bold" if figure.unit == "ratio" else None
            numbers = (f"{figure.median:g}", f"{figure.worst:g}", figure.unit, str(figure.runs))
            table.add_row(part, figure.name, *numbers, style=style)
        table.add_section()
    Console().print(table)


def last() -> dict[str, Any]:
    """Return what was saved of each part when it was measured last."""
    kept: dict[str, Any] = json.loads(LATEST.read_text()) if LATEST.exists() else {}
    return kept


def save(part: str, figures: list[Figure], seconds: float) -> None:
    """Write the figures of a part, with when and on what they were measured; other parts keep theirs."""
    kept = last()
    measured = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "took": round(seconds),
        "cpus": os.cpu_count(),
        "load": round(os.getloadavg()[1], 1),  # of the last 5 minutes; also what others did on the machine
        "python": platform.python_version(),
        "airflow": version("apache-airflow"),
    }
    kept[part] = {**measured, "figures": [asdict(figure) for figure in figures]}
    LATEST.parent.mkdir(exist_ok=True)
    LATEST.write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n")
