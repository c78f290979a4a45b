"""The ingestion container: collects the day's prices."""

from datetime import timedelta

from rankalpha.stages.docker import DockerOptions, Volume
from rankalpha.stages.stage import Stage

INGESTION = Stage(
    name="ingestion",
    image="rankalpha_ingestion",
    command="python apps/ingestion/main.py",
    optional=(
        "INGESTION_SOURCE",
        "INGESTION_SYMBOLS",
        "INGESTION_START",
        "INGESTION_CSV_DIR",
        "INGESTION_OVERLAP",
        "INGESTION_JUMP",
        "INGESTION_REPLACE",
        "INGESTION_TIMEOUT_SECONDS",
        "INGESTION_ATTEMPTS",
        "INGESTION_LONGEST_WAIT_SECONDS",
        "INGESTION_BUDGET_MINUTES",
        "INGESTION_KEEP_BATCHES",
        "SCREENER_TOP",
    ),
    timeout=timedelta(minutes=30),
    output="prices",
    earlier={"prices": 3},  # the history that a batch adds to; one that cannot be read is skipped
    prunes=True,
    docker=DockerOptions(volumes=(Volume("prices_data", "/data/prices"),)),
)
