"""Shows how well the pipeline is, from outside of Airflow, also when its scheduler is down."""

import json

from rankalpha.airflow_api import admin_api
from rankalpha.health import summary
from rankalpha.health.overview import overview, overviews
from rankalpha.health.tables import show, show_all
from rankalpha.pipeline.pipelines import pipeline
from rankalpha.settings import settings

WELL, WRONG = 0, 1  # exit status


def health(days: float | None, market: str | None, as_json: bool) -> int:
    """Print the health of a market, or of all; return the exit status. Raises a refusal."""
    api, days = admin_api(), settings().watch_days if days is None else days
    seen = [overview(api, days, pipeline(market))] if market else overviews(api, days)
    markets = [summary.health(market_seen) for market_seen in seen]
    if as_json:
        print(json.dumps(markets if len(markets) > 1 else markets[0], indent=2))
    elif len(markets) > 1:
        show_all(markets)
    else:
        show(markets[0])
    return WELL if all(each["well"] for each in markets) else WRONG
