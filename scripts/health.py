"""Show how well the pipeline is, from outside of Airflow, also when its scheduler is down.

For a cron job or an outside monitor: exit status 0 all is well, 1 something needs a person, 2 Airflow's API
does not answer or does not let the user in. It only looks: the DAG `rankalpha_watchdog` repairs and alerts.
"""

import argparse
import json
import sys
from typing import Any

import requests

from rankalpha.airflow_api import AirflowApiError, admin_api
from rankalpha.health.overview import overview, overviews
from rankalpha.health.summary import health
from rankalpha.health.tables import show, show_all
from rankalpha.pipeline.pipelines import pipeline
from rankalpha.settings import SettingsError, settings

WELL, WRONG, NO_ANSWER = 0, 1, 2  # exit status


def look(days: float, market: str | None) -> list[dict[str, Any]]:
    """Return the health of a market, or of all."""
    api = admin_api()
    seen = [overview(api, days, pipeline(market))] if market else overviews(api, days)
    return [health(one) for one in seen]


def main() -> int:
    """Look once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--days", type=float, default=settings().watch_days, help="how far to look back")
    parser.add_argument("--market", help="one market in full; with several, all are shown in short")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    try:
        found = look(arguments.days, arguments.market)
    except (requests.RequestException, AirflowApiError, SettingsError) as error:
        print(f"error: {error}", file=sys.stderr)
        return NO_ANSWER
    if arguments.json:
        print(json.dumps(found if len(found) > 1 else found[0], indent=2))
    elif len(found) > 1:
        show_all(found)
    else:
        show(found[0])
    return WELL if all(one["well"] for one in found) else WRONG


if __name__ == "__main__":
    sys.exit(main())
