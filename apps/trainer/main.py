"""Entry point of the trainer stage: ``python apps/trainer/main.py`` (repository root on PYTHONPATH).

Settings and their defaults are listed in `apps/trainer/settings.py`.
"""

import logging
import os
import sys

from apps.common.run import run_stage
from apps.trainer.work import train

if __name__ == "__main__":
    os.nice(10)  # on a machine that has more to do, what a batch waits for comes first
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(name)s: %(message)s")
    run_stage("trainer", train)
