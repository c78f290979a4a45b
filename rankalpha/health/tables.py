"""The health of the markets on a terminal; see `rankalpha.health.summary` for what is shown."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from rankalpha.health.standing import FRONTEND
from rankalpha.pipeline.steps import DATASETS

COLOURS = {"done": "green", "failed": "red", "lost": "red", "paused": "yellow", "running": "cyan"}
MEBIBYTE = 1024**2


def batches(found: dict[str, Any]) -> Table:
    """Return the table of where each batch stands."""
    table = Table(title="Batches, newest first; times in UTC")
    table.add_column("batch", no_wrap=True)
    for name in (*DATASETS, FRONTEND):
        table.add_column(name)
    for batch in found["batches"]:
        cells = []
        for one in batch["steps"]:
            since = f" {datetime.fromisoformat(one['since']):%H:%M}" if one["since"] else ""
            cells.append(f"[{COLOURS.get(one['state'], 'dim')}]{one['state']}{since}[/]")
        table.add_row(batch["batch"], *cells)
    return table


def datasets(found: dict[str, Any]) -> Table:
    """Return the table of the datasets' freshness."""
    table = Table("dataset", "newest batch", "age", "fresh for", title="Freshness, hours")
    for one in found["datasets"]:
        colour = "red" if one["stale"] else "green"
        age = f"[{colour}]{_number(one['age_hours'])}{' stale' if one['stale'] else ''}[/]"
        table.add_row(one["name"], one["newest_batch"] or "none", age, _number(one["fresh_for_hours"]))
    return table


def stages(found: dict[str, Any]) -> Table:
    """Return the table of durations and of what the newest containers have used."""
    titles = (
        "stage",
        "newest run, s",
        "median before",
        "runs",
        "container, s",
        "CPU, s",
        "peak, MiB",
    )
    table = Table(*titles, title="Durations and resources")
    used = {one["step"]: one for one in found["usage"]}
    for one in found["durations"]:
        container = used.get(one["step"], {})
        newest = _number(one["seconds"])
        table.add_row(
            one["step"],
            f"[red]{newest} slow[/]" if one["slow"] else newest,
            _number(one["median_seconds"]),
            str(one["earlier_runs"]),
            _number(container.get("seconds")),
            _number(container.get("cpu_seconds")),
            _memory(container),
        )
    return table


def show(found: dict[str, Any]) -> None:
    """Print the tables, then what is wrong."""
    console = Console()
    makers: tuple[Callable[[dict[str, Any]], Table], ...] = (batches, datasets, stages)
    for make in makers:
        console.print(make(found))
    trouble(console, found)
    if found["well"]:
        console.print("All is well.")


def markets(found: list[dict[str, Any]]) -> Table:
    """Return the table of all markets."""
    table = Table("market", "newest batch", "where it is", "stale", "incidents", title="Markets")
    for one in found:
        batch = one["batches"][0] if one["batches"] else {"batch": "none", "where": ""}
        stale = ", ".join(dataset["name"] for dataset in one["datasets"] if dataset["stale"])
        colour = "green" if one["well"] else "red"
        name = f"[{colour}]{one['market']['name']}[/]"
        table.add_row(name, batch["batch"], batch["where"], stale, str(len(one["incidents"])))
    return table


def show_all(found: list[dict[str, Any]]) -> None:
    """Print a line a market, then what is wrong with any of them."""
    console = Console()
    console.print(markets(found))
    for one in found:
        if not one["well"]:
            console.rule(one["market"]["name"])
            trouble(console, one)
    if all(one["well"] for one in found):
        console.print("All is well.")


def trouble(console: Console, found: dict[str, Any]) -> None:
    """Print the components' heartbeats and what is wrong."""
    for component, beat in found["components"].items():
        console.print(f"{component}: newest heartbeat {beat or 'never'}", highlight=False)
    for one in found["quality"]:
        text = f"Data: {one['dataset']} of {one['batch']}: {one['problem']}"
        console.print(text, style="yellow", markup=False, highlight=False)
    for dataset in found["datasets"]:
        if dataset["stale"]:
            console.print(
                f"[red]{dataset['name']} is stale[/]: no newer batch than {dataset['newest_batch']}"
            )
    for incident in found["incidents"]:
        console.print(incident["subject"], style="red", markup=False, highlight=False)
        console.print(incident["text"], markup=False, highlight=False)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"  # noqa: RUF001  a dash is meant


def _memory(container: dict[str, Any]) -> str:
    sizes = [container.get(key) for key in ("peak_memory_bytes", "memory_limit_bytes")]
    return " of ".join(f"{size / MEBIBYTE:.0f}" for size in sizes if size is not None) or _number(None)
