"""Show where each batch stands and what is wrong, from outside of Airflow, also when its scheduler is down.

For a cron job or an outside monitor: exit status 0 all is well, 1 something needs a person, 2 Airflow's API
does not answer or does not let the user in. It only looks: the DAG `rankalpha_watchdog` repairs and alerts.
"""

import argparse
import json
import sys
from dataclasses import asdict

import requests
from rich.console import Console
from rich.table import Table

from rankalpha.airflow_api import AirflowApiError, admin_api
from rankalpha.pipeline import STEPS
from rankalpha.settings import SettingsError, settings
from rankalpha.watchdog.incidents import Incident, incidents
from rankalpha.watchdog.reading import Sight, look
from rankalpha.watchdog.standing import FRONTEND

WELL, WRONG, NO_ANSWER = 0, 1, 2  # exit status
COLOURS = {"done": "green", "failed": "red", "lost": "red", "paused": "yellow", "running": "cyan"}


def show(sight: Sight, found: list[Incident]) -> None:
    """Print a table of the batches, and the incidents."""
    console = Console()
    names = [*(step.name for step in STEPS), FRONTEND]
    table = Table("batch", *names, title="Batches, newest first; times in UTC")
    for batch in sight.batches:
        cells = []
        for name in names:
            one = batch.steps[name]
            text = f"{one.state} {one.since:%H:%M}" if one.since else one.state
            cells.append(f"[{COLOURS.get(one.state, 'dim')}]{text}[/]")
        table.add_row(batch.key, *cells)
    console.print(table)
    for incident in found:
        console.print(f"[red]{incident.subject}[/]\n{incident.text}", highlight=False)
    if not found:
        console.print("All is well.")


def main() -> int:
    """Look once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--days", type=float, default=settings().watch_days, help="how far to look back")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    try:
        sight = look(admin_api(), arguments.days)
    except (requests.RequestException, AirflowApiError, SettingsError) as error:
        print(f"error: {error}", file=sys.stderr)
        return NO_ANSWER
    found = incidents(sight)
    if arguments.json:
        seen = {
            "batches": [asdict(one) for one in sight.batches],
            "incidents": [asdict(one) for one in found],
        }
        print(json.dumps(seen, default=str, indent=2))
    else:
        show(sight, found)
    return WRONG if found else WELL


if __name__ == "__main__":
    sys.exit(main())
