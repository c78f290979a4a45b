"""The evaluation container: how well the grades, and today's method in the past, have foretold returns."""

from datetime import timedelta

from rankalpha.stages.docker import DockerOptions, Volume
from rankalpha.stages.stage import Stage

EVALUATION = Stage(
    name="evaluation",
    image="rankalpha_evaluation",
    command="python apps/evaluation/main.py",
    # the backtest leaves out what the scorer leaves out, and ranks as it does
    optional=(
        "EVALUATION_EVERY",
        "SCORER_STALE_DAYS",
        "SCORER_STALE_SESSIONS",
        "SCORER_SECTOR_NEUTRAL",
    ),
    memory="2g",
    timeout=timedelta(minutes=30),
    output="evaluations",
    earlier={"grades": 100, "evaluations": 3},  # what was published, and the record that goes on
    prunes=True,
    reuse=True,  # grades that are carried over add nothing to the record
    accumulates=True,
    docker=DockerOptions(
        volumes=(
            Volume("evaluations", "/data/evaluations"),
            Volume("grades", "/data/grades", read_only=True),
            # those that the grades were made from, as their manifest names them
            Volume("prices_data", "/data/prices", read_only=True),
        )
    ),
)
