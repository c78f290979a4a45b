"""The scorer container: momentum, value and quality of each stock."""

from datetime import timedelta

from rankalpha.stages.docker import DockerOptions, Volume
from rankalpha.stages.stage import Stage

SCORER = Stage(
    name="scorer",
    image="rankalpha_scorer",
    command="python apps/scorer/main.py",
    optional=("SCORER_STALE_DAYS", "SCORER_STALE_SESSIONS", "SCORER_SECTOR_NEUTRAL", "SCORER_MODEL"),
    timeout=timedelta(minutes=30),
    output="prices",
    model="SCORER_MODEL",
    reuse=True,
    docker=DockerOptions(
        volumes=(
            Volume("prices_data", "/data/prices"),
            Volume("models", "/data/models", read_only=True, of_models=True),
        )
    ),
)
