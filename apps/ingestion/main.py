"""Entry point of the ingestion stage: ``python apps/ingestion/main.py`` (repository root on PYTHONPATH).

Settings and their defaults are listed in `apps/ingestion/settings.py`.
"""

import logging
import sys

from apps.common.run import run_stage
from apps.ingestion.work import ingest

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(name)s: %(message)s")
    run_stage("ingestion", ingest)
