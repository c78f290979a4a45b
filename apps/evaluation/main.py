"""Entry point of the evaluation stage: ``python apps/evaluation/main.py`` (repository root on PYTHONPATH).

Settings and their defaults are listed in `apps/evaluation/settings.py`.
"""

import logging
import os
import sys

from apps.common.run import run_stage
from apps.evaluation.work import evaluate

if __name__ == "__main__":
    os.nice(10)  # on a machine that has more to do, what a batch waits for comes first
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(name)s: %(message)s")
    run_stage("evaluation", evaluate)
