"""Show how well the pipeline is, from outside of Airflow, also when its scheduler is down.

For a cron job or an outside monitor: exit status 0 all is well, 1 something needs a person, 2 Airflow's API
does not answer or does not let the user in. It only looks: the DAG `rankalpha_watchdog` repairs and alerts.
"""

import argparse
import json
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Any

import requests
from rich.console import Console
from rich.table import Table

from rankalpha.airflow_api import AirflowApiError, admin_api
from rankalpha.health import health
from rankalpha.overview import overview
from rankalpha.pipeline import STEPS
from rankalpha.settings import SettingsError, settings
from rankalpha.watchdog.standing import FRONTEND

WELL, WRONG, NO_ANSWER = 0, 1, 2  # exit status
COLOURS = {"done": "green", "failed": "red", "lost": "red", "paused": "yellow", "running": "cyan"}
MEBIBYTE = 1024**2


def batches(found: dict[str, Any]) -> Table:
    """Return the table of where each batch stands."""
    table = Table(title="Batches, newest first; times in UTC")
    table.add_column("batch", no_wrap=True)
    for name in (*(step.name for step in STEPS), FRONTEND):
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
    if found["well"]:
        console.print("All is well.")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"  # noqa: RUF001  a dash is meant


def _memory(container: dict[str, Any]) -> str:
    sizes = [container.get(key) for key in ("peak_memory_bytes", "memory_limit_bytes")]
    return " of ".join(f"{size / MEBIBYTE:.0f}" for size in sizes if size is not None) or _number(None)


def main() -> int:
    """Look once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--days", type=float, default=settings().watch_days, help="how far to look back")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    try:
        found = health(overview(admin_api(), arguments.days))
    except (requests.RequestException, AirflowApiError, SettingsError) as error:
        print(f"error: {error}", file=sys.stderr)
        return NO_ANSWER
    if arguments.json:
        print(json.dumps(found, indent=2))
    else:
        show(found)
    return WELL if found["well"] else WRONG


if __name__ == "__main__":
    sys.exit(main())
