"""The health of the markets as tables on a terminal; see `rankalpha.health.summary` for what is shown."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from rankalpha.health.trouble import trouble

COLOURS = {"done": "green", "paused": "yellow", "running": "cyan"} | dict.fromkeys(
    ("failed", "blocked", "lost"), "red"
)
MEBIBYTE = 1024**2
UNKNOWN = "–"  # noqa: RUF001  a dash is meant


def batches(health: dict[str, Any]) -> Table:
    """Return the table of where each batch stands."""
    return _states("Batches, newest first; times in UTC", health, _names(health, optional=False))


def optional(health: dict[str, Any]) -> Iterator[Table]:
    """Yield the table of the optional steps, and one for each variant."""
    known = _names(health, optional=True)
    for variant in dict.fromkeys(name.rpartition("_")[0] for name in known):
        title = f"Variant {variant}" if variant else "Optional"
        own = [name for name in known if name.rpartition("_")[0] == variant]
        yield _states(f"{title}, not waited for", health, own)


def _names(health: dict[str, Any], *, optional: bool) -> list[str]:
    newest = health["batches"][:1]  # every batch has every step
    return [step["step"] for batch in newest for step in batch["steps"] if step["optional"] == optional]


def _states(title: str, health: dict[str, Any], names: Sequence[str]) -> Table:
    table = _table(title, "batch", *(name.rpartition("_")[2] for name in names))
    table.columns[0].no_wrap = True
    for batch in health["batches"]:
        steps = {step["step"]: step for step in batch["steps"]}
        table.add_row(batch["batch"], *(_state(steps[name]) for name in names if name in steps))
    return table


def _state(step: dict[str, Any]) -> str:
    since = f" {datetime.fromisoformat(step['since']):%H:%M}" if step["since"] else ""
    return f"[{COLOURS.get(step['state'], 'dim')}]{step['state']}{since}[/]"


def datasets(health: dict[str, Any]) -> Table:
    """Return the table of the datasets' freshness."""
    table = _table("Freshness; times in UTC", "dataset", "newest batch is of", "fresh until")
    for dataset in health["datasets"]:
        colour = "red" if dataset["stale"] else "green"
        table.add_row(dataset["name"], _age(dataset), f"[{colour}]{_until(dataset)}[/]")
    return table


def _age(dataset: dict[str, Any]) -> str:
    """Return which session the newest batch is of; without a calendar, how old it is."""
    if dataset["session"]:
        return str(dataset["session"]["text"])
    return "never published" if dataset["published"] is None else f"{_number(dataset['age_hours'])} h ago"


def _until(dataset: dict[str, Any]) -> str:
    if dataset["stale_at"] is None:
        return UNKNOWN
    until = datetime.fromisoformat(dataset["stale_at"])
    return f"{until:%a} {until.day} {until:%b %H:%M}{', stale' if dataset['stale'] else ''}"


def sessions(health: dict[str, Any]) -> Iterator[str]:
    """Yield which session the newest grades are of, and which batches brought nothing new."""
    if session := health["session"]:
        yield f"Grades of {session['text']} (batch {session['batch']})."
    for batch in health["batches"]:
        if batch["news"]:
            yield f"{batch['batch']}: {batch['news']}."


def stages(health: dict[str, Any]) -> Table:
    """Return the table of durations and of what the newest containers have used."""
    seconds = ("newest run, s", "median before", "runs before", "container, s", "CPU, s")
    table = _table("Durations and resources", "stage", *seconds, "peak, MiB")
    table.columns[0].no_wrap = True
    used = {usage["step"]: usage for usage in health["usage"]}
    for duration in health["durations"]:
        container = used.get(duration["step"], {})
        newest = _number(duration["seconds"])
        table.add_row(
            duration["step"],
            f"[red]{newest} slow[/]" if duration["slow"] else newest,
            _number(duration["median_seconds"]),
            str(duration["earlier_runs"]),
            _number(container.get("seconds")),
            _number(container.get("cpu_seconds")),
            _memory(container),
        )
    return table


def show(health: dict[str, Any]) -> None:
    """Print the tables, then what is wrong."""
    console = Console()
    for table in (batches(health), *optional(health), datasets(health), stages(health)):
        console.print(table, "")
    for line in sessions(health):
        console.print(line, markup=False, highlight=False)
    trouble(console, health)
    if health["well"]:
        console.print("All is well.")


def markets(healths: list[dict[str, Any]]) -> Table:
    """Return the table of all markets."""
    table = _table("Markets", "market", "newest batch", "where it is", "grades of", "stale", "incidents")
    for health in healths:
        batch = health["batches"][0] if health["batches"] else {"batch": "none", "where": ""}
        stale = ", ".join(dataset["name"] for dataset in health["datasets"] if dataset["stale"])
        colour = "green" if health["well"] else "red"
        name = f"[{colour}]{health['market']['name']}[/]"
        session = (health["session"] or {}).get("text", UNKNOWN)
        table.add_row(name, batch["batch"], batch["where"], session, stale, str(len(health["incidents"])))
    return table


def show_all(healths: list[dict[str, Any]]) -> None:
    """Print a line a market, then what is wrong with any of them."""
    console = Console()
    console.print(markets(healths))
    for health in healths:
        if not health["well"]:
            console.rule(health["market"]["name"])
            trouble(console, health)
    if all(health["well"] for health in healths):
        console.print("All is well.")


def _table(title: str, *columns: str) -> Table:
    """Return a table that fits 80 columns: a space between columns, and words that are never cut."""
    return Table(*columns, title=title, title_justify="left", box=SIMPLE_HEAD, show_edge=False, padding=0)


def _number(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.1f}"


def _memory(container: dict[str, Any]) -> str:
    sizes = [container.get(key) for key in ("peak_memory_bytes", "memory_limit_bytes")]
    return " of ".join(f"{size / MEBIBYTE:.0f}" for size in sizes if size is not None) or UNKNOWN
