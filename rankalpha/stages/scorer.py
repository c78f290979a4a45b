"""The scorer container: momentum, value and quality of each stock."""

from datetime import timedelta

from rankalpha.stages.docker import DockerOptions, Volume
from rankalpha.stages.stage import Stage

SCORER = Stage(
    name="scorer",
    image="rankalpha_scorer",
    command="python apps/scorer/main.py",
    optional=("SCORER_STALE_DAYS", "SCORER_STALE_SESSIONS", "SCORER_SECTOR_NEUTRAL"),
    timeout=timedelta(minutes=30),
    output="prices",
    reuse=True,
    docker=DockerOptions(volumes=(Volume("prices_data", "/data/prices"),)),
)
