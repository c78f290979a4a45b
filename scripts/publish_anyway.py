"""Publish a batch that its dataset's contract has blocked: once, on record, and with a reason.

The event says who it was and why, and what the checks have said. Whatever follows runs by itself. Exit
status: 0 published, 1 failed, 2 refused and nothing changed, 3 it waits for a DAG that was paused meanwhile.
"""

import argparse
import sys

from rankalpha.airflow_api import admin_api
from rankalpha.commands.progress import Outcome, monitor_execution
from rankalpha.commands.publish_anyway import publish_anyway
from rankalpha.commands.rerun import REFUSALS
from rankalpha.pipeline.pipelines import pipeline
from rankalpha.pipeline.steps import DATASETS
from rankalpha.settings import AdminSettings, SettingsError

REFUSED = 2
EXIT: dict[Outcome, int] = {"done": 0, "failed": 1, "held": 3}


def arguments() -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--batch", metavar="KEY", required=True, help="such as 2026-11-22T06:00:00")
    parser.add_argument("--dataset", required=True, help=", ".join(DATASETS.values()))
    parser.add_argument("--reason", required=True, help="why it is right all the same; stays on record")
    parser.add_argument("--market", help="default is `default`, or the only one there is")
    return parser.parse_args()


def main() -> int:
    """Publish what the arguments say."""
    asked = arguments()
    try:
        api, market, user = admin_api(), pipeline(asked.market), AdminSettings.load().user
        run = publish_anyway(api, market, asked.batch, asked.dataset, asked.reason, user)
    except (*REFUSALS, SettingsError) as error:
        print(f"error: {error}", file=sys.stderr)
        return REFUSED
    print(f"{run['dag_id']}: run {run['dag_run_id']}", flush=True)
    return EXIT[monitor_execution(api, run, downstream=False)]


if __name__ == "__main__":
    sys.exit(main())
