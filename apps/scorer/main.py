"""Entry point of the scorer stage: ``python apps/scorer/main.py`` (repository root on PYTHONPATH).

Settings and their defaults are listed in `apps/scorer/settings.py`.
"""

import logging
import sys

from apps.common.run import run_stage
from apps.scorer.work import score

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(name)s: %(message)s")
    run_stage("scorer", score)
