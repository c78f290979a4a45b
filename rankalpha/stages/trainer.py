"""The trainer container: a model of forward returns, from the prices of a batch."""

from datetime import timedelta

from rankalpha.stages.docker import DockerOptions, Volume
from rankalpha.stages.stage import Stage

TRAINER = Stage(
    name="trainer",
    image="rankalpha_trainer",
    command="python apps/trainer/main.py",
    env={"TRAINER_AGAINST": "champion"},
    # a model learns from the symbols that the scorer scores
    optional=(
        "TRAINER_HORIZON",
        "TRAINER_SEED",
        "SCORER_STALE_DAYS",
        "SCORER_STALE_SESSIONS",
        "SCORER_SECTOR_NEUTRAL",
    ),
    memory="2g",
    timeout=timedelta(minutes=30),
    output="models",
    model="TRAINER_AGAINST",
    prunes=True,
    docker=DockerOptions(
        volumes=(
            Volume("models", "/data/models"),
            Volume("prices_data", "/data/prices", read_only=True),
        )
    ),
)
