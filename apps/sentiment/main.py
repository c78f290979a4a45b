"""Entry point of the sentiment container: `uv run main.py` in apps/sentiment."""

from apps.common.stage import Batch, Result, run_stage
from apps.sentiment.batch import analyse_batch
from apps.sentiment.service import serve
from apps.sentiment.settings import Settings


def work(batch: Batch) -> Result:
    """Analyse the batch of the environment, or keep running as the service (which ends on SIGTERM only)."""
    settings = Settings.from_env()
    if not settings.consensus_batch_only:
        serve(settings)
    return analyse_batch(batch, settings)


if __name__ == "__main__":
    run_stage("sentiment", work)
