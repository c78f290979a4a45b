"""Entry point of the sentiment container: `uv run main.py` in apps/sentiment."""

import os
import signal

# who stops it while it loads sees no traceback; a handler, because polars lets SIG_DFL have no effect
signal.signal(signal.SIGINT, lambda *_: os._exit(128 + signal.SIGINT))

from apps.common.run import Result, run_stage  # noqa: E402
from apps.common.stage import Batch  # noqa: E402
from apps.sentiment.batch import analyse_batch  # noqa: E402
from apps.sentiment.service import serve  # noqa: E402
from apps.sentiment.settings import Settings  # noqa: E402


def work(batch: Batch) -> Result:
    """Analyse the batch of the environment, or keep running as the service (which ends on SIGTERM only)."""
    settings = Settings.from_env()
    if not settings.consensus_batch_only:
        serve(settings)
    return analyse_batch(batch, settings)


if __name__ == "__main__":
    run_stage("sentiment", work)
