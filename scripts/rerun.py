"""Re-run a batch, or fill a missed day, and follow it until it is graded.

Exit status: 0 done, 1 failed, 2 refused and nothing triggered, 3 it waits for a DAG that an operator has
paused.
"""

import argparse
import sys

from rankalpha.airflow_api import admin_api
from rankalpha.commands.progress import Outcome, monitor_execution
from rankalpha.commands.rerun import REFUSALS, batch_of_day, known_batch, rerun
from rankalpha.pipeline.pipelines import pipeline
from rankalpha.pipeline.steps import DATASETS
from rankalpha.settings import SettingsError

REFUSED = 2
EXIT: dict[Outcome, int] = {"done": 0, "failed": 1, "held": 3}


def arguments() -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--batch", metavar="KEY", help="a batch, such as 2026-11-22T06:00:00")
    which.add_argument(
        "--day", help="the newest batch of a day, such as 2026-11-22; a day without one gets one"
    )
    parser.add_argument(
        "--from",
        dest="step",
        choices=list(DATASETS),
        default="ingestion",
        help="where to begin",
    )
    parser.add_argument(
        "--no-downstream",
        action="store_true",
        help="run this stage alone and publish nothing",
    )
    parser.add_argument("--market", help="default is `default`, or the only one there is")
    return parser.parse_args()


def main() -> int:
    """Re-run what the arguments say."""
    asked = arguments()
    downstream = not asked.no_downstream
    try:
        market = pipeline(asked.market)
        step = next(step for step in market.steps if step.name == asked.step)
        api = admin_api()
        if asked.day:
            key, others = batch_of_day(api, asked.day, market, step)
            if others:
                print(f"Taking {key}, the newest batch of the day, and not {', '.join(others)}")
        else:
            key = known_batch(api, asked.batch, market)
        run = rerun(api, key, step, publish=downstream)
    except (*REFUSALS, SettingsError) as error:
        print(f"error: {error}", file=sys.stderr)
        return REFUSED
    print(f"{run['dag_id']}: run {run['dag_run_id']}", flush=True)
    return EXIT[monitor_execution(api, run, downstream)]


if __name__ == "__main__":
    sys.exit(main())
