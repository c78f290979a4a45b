"""Entry point of the scorer stage: ``python apps/scorer/main.py`` (repository root on PYTHONPATH).

Setting: SCORER_STALE_DAYS, days that a symbol's last price may lie before the newest of all, default 10
"""

import logging
import sys

from apps.common.stage import run_stage
from apps.scorer.work import score

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(name)s: %(message)s")
    run_stage("scorer", score)
