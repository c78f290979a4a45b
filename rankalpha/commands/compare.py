"""Shows how the grades of a variant differ from those of its champion, and what both have cost."""

import json
from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from rankalpha.airflow_api import admin_api
from rankalpha.commands.refusals import Refused
from rankalpha.health.comparison import comparison
from rankalpha.pipeline.challenger import Challenger, challengers_of
from rankalpha.pipeline.pipelines import pipeline
from rankalpha.pipeline.steps import COMPARISON
from rankalpha.texts import count, shown

MEBIBYTE = 1024**2
UNKNOWN = "-"


def compare(variant: str, batches: int, market: str | None, as_json: bool) -> int:
    """Print the comparison of the newest batches; return the exit status."""
    challenger = challenger_of(variant, market)
    found = comparison(admin_api(), challenger, batches)
    if found is None:
        raise Refused(
            f"no batch of variant {variant} is compared yet; see {challenger.dag_id(COMPARISON.name)} in "
            "Airflow"
        )
    title = f"{variant} and its champion, newest batch first"
    print(json.dumps(found, indent=2)) if as_json else show(found, title)
    return 0


def challenger_of(variant: str, market: str | None) -> Challenger:
    """Return the challenger that a variant of a market is; raises a refusal."""
    challengers = {each.variant: each for each in challengers_of(pipeline(market).market)}
    if variant not in challengers:
        known = ", ".join(challengers) or "none; declare one in the file of the markets"
        raise Refused(f"there is no variant {shown(variant)}; there is {known}")
    return challengers[variant]


def show(found: Mapping[str, Any], title: str) -> None:
    """Print the batches that are compared, what they have in common, and the costs."""
    console, total = Console(), found["summary"]
    console.print(_batches(found, title), "")
    different = f"Batches that differ: {total['different']} of {total['batches']}"
    console.print(f"{different}, in {count(total['changed'], 'letter')}.", highlight=False)
    for row in found["batches"]:
        if row.get("changed_symbols"):
            line = f"{row['batch']}: {row['changed_symbols']}"
            console.print(line, markup=False, highlight=False, soft_wrap=True)
    if found.get("returns"):
        console.print("", _returns(found))
    if found["stages"]:
        console.print("", _stages(found))


def _batches(found: Mapping[str, Any], title: str) -> Table:
    columns = ("batch", "symbols", "letters", "ranks", "top", "champion", "challenger")
    table = _table(title, *columns)
    for row in (row for row in found["batches"] if "symbols" in row):
        table.add_row(
            row["batch"],
            str(row["symbols"]),
            str(row.get("changed", UNKNOWN)),
            _number(row.get("rank_correlation"), 3),
            f"{row.get('top_overlap', UNKNOWN)} of {row.get('top', UNKNOWN)}",
            *(_letters(row, who) for who in ("champion", "challenger")),
        )
    return table


def _returns(found: Mapping[str, Any]) -> Table:
    """Return what A minus F of both was worth, over the returns that are in."""
    columns = ("over", "sessions", "champion", "challenger", "difference", "95 % band")
    table = _table("A minus F of both: mean return over the sessions that followed", *columns)
    for of in found["returns"]:
        worth = (_percent(of[name]) for name in ("champion", "challenger", "difference"))
        known = of["low"] is not None
        band = f"{_percent(of['low'])} to {_percent(of['high'])}" if known else "too few sessions"
        table.add_row(str(of["horizon"]), str(of["sessions"]), *worth, band)
    return table


def _stages(found: Mapping[str, Any]) -> Table:
    table = _table("Medians of the containers", "stage", "of", "runs", "seconds", "CPU, s", "peak, MiB")
    for used in found["stages"]:
        peak = used["peak_memory_bytes"]
        figures = (used["seconds"], used["cpu_seconds"], None if peak is None else peak / MEBIBYTE)
        table.add_row(used["stage"], used["who"], str(used["runs"]), *(_number(each, 1) for each in figures))
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(
        *columns, title=title, title_justify="left", box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0)
    )
    table.columns[0].no_wrap = True
    return table


def _letters(row: Mapping[str, Any], who: str) -> str:
    """Return how many symbols have each letter, A to F."""
    return "/".join(str(row.get(f"{who}_{letter}", UNKNOWN)) for letter in "ABCDF")


def _percent(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:+.2%}".replace("%", " %")


def _number(value: float | None, digits: int) -> str:
    return UNKNOWN if value is None else f"{value:.{digits}f}"
