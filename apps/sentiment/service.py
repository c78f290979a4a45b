"""The long-running service, for use outside the orchestrator: the newest batch again and again.

It reads the folder of a batch, because only the orchestrator knows which versions are published.
"""

import os
import signal
import sys
import time
from types import FrameType
from typing import NoReturn

from apps.common.stage import Batch, StageError
from apps.sentiment.batch import analyse_batch
from apps.sentiment.settings import Settings


def serve(settings: Settings) -> NoReturn:
    """Analyse the newest batch every `interval_seconds` until SIGTERM or SIGINT, then exit with status 0.

    A round that fails is reported on stderr; the next round is another attempt.
    """
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    while True:
        try:
            print(f"sentiment: {round_report(settings)}", flush=True)
        except StageError as error:
            print(f"sentiment: {error}", file=sys.stderr, flush=True)
        time.sleep(settings.interval_seconds)


def stop(_signum: int, _frame: FrameType | None) -> None:
    """Exit at once; files are written atomically, so this is always safe.

    An exception would wait for the threads that ask feeds and the model, and a second signal would print it.
    """
    os._exit(0)


def round_report(settings: Settings) -> str:
    """Analyse the newest batch and return one line about it."""
    batch = newest_batch(settings)
    if batch is None:
        return f"no batch in {settings.data_dir / 'prices'} yet{_hint(settings)}"
    done = analyse_batch(batch, settings)
    return f"batch {batch.key}: {done.symbols} symbols, {done.details['reused']} reused, {done.checksum}"


def newest_batch(settings: Settings) -> Batch | None:
    """Return the newest batch whose ingestion has finished: it has an appearances.json."""
    keys = [
        path.parent.name for path in settings.data_dir.glob("prices/????-??-??T??:??:??/appearances.json")
    ]
    return Batch(max(keys), settings.data_dir) if keys else None


def _hint(settings: Settings) -> str:
    """Return why versions do not count here: this service does not know which of them are published."""
    if not any(settings.data_dir.glob("prices/*/*/manifest.json")):
        return ""
    return (
        " but versions, and only Airflow knows which are published; this service reads batches of an "
        "ingestion that writes no versions: set INGESTION_VERSIONS=false"
    )
