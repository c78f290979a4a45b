"""The scorer container: momentum, value and quality of each stock."""

from datetime import timedelta

from rankalpha.stages.stage import Stage, Volume

SCORER = Stage(
    name="scorer",
    image="rankalpha_scorer",
    command="python apps/scorer/main.py",
    volumes=(Volume("prices_data", "/data/prices"),),
    optional=("SCORER_STALE_DAYS",),
    timeout=timedelta(minutes=30),
)
