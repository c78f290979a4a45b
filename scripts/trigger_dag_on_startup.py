"""Run the pipeline when Airflow has started: the start-up trigger of every stack.

Waits for Airflow, follows the ingestion run that is already there or triggers one, and ends when its batch is
graded; with several markets, those of each. Exit status: 0 graded, 1 not graded, 2 Airflow is not ready, 3 it
waits for a DAG that an operator has paused.

With --stay it sleeps then instead of ending, so that its container is started again only when the machine is.
"""

import argparse
import os
import sys
from contextlib import redirect_stderr
from typing import Any

import requests
from rich.console import Console
from rich.table import Table

from rankalpha.airflow_api import AirflowApi, AirflowApiError, admin_api
from rankalpha.commands.progress import Outcome, monitor_execution
from rankalpha.commands.startup import NotReady, Paused, trigger_dag, wait_for_airflow
from rankalpha.logs import bind_batch, configure, printed_is_logged
from rankalpha.no_proxy import direct
from rankalpha.pipeline.batch import batch_of_run
from rankalpha.pipeline.pipelines import INGESTION_DAG, pipelines
from rankalpha.settings import LogSettings, SettingsError, settings

TOP = 10
NOT_READY, HELD = 2, 3
EXIT: dict[Outcome, int] = {"done": 0, "failed": 1, "held": HELD}
WORST: tuple[Outcome, ...] = ("failed", "held", "done")


def show_grades(api_url: str, batch: str) -> None:
    """Print the best stocks of a batch; nothing where the API is not the reference one."""
    try:
        url = f"{api_url}/api/v1/grading/grades"
        answer = requests.get(url, params={"batch": batch}, timeout=10, proxies=direct(url)).json()
        table = Table(title=f"Top grades of batch {answer['batch']}, prices as of {answer['as_of']}")
        for column in ("rank", "symbol", "grade", "composite"):
            table.add_column(column, justify="right" if column in ("rank", "composite") else "left")
        for row in answer["grades"][:TOP]:
            table.add_row(str(row["rank"]), row["symbol"], row["grade"], f"{row['composite']:.1f}")
    except (requests.RequestException, KeyError, TypeError, ValueError):
        return
    Console().print(table)


def run_batch() -> int:
    """Run the trigger against the Airflow of the settings; return the exit status."""
    try:
        api = admin_api()
        print("Waiting for Airflow", flush=True)
        for remark in wait_for_airflow(api):
            print(remark, flush=True)
        runs, outcomes = _triggered(api)
        for run in runs:
            bind_batch(batch_of_run(run))
            outcomes.append(monitor_execution(api, run))
    except (NotReady, AirflowApiError, SettingsError, requests.RequestException) as error:
        print(f"error: {error}", file=sys.stderr)
        return NOT_READY
    if outcomes == ["done"] and runs[0]["dag_id"] == INGESTION_DAG:
        show_grades(settings().api_url, batch_of_run(runs[0]))
    return EXIT[next((one for one in WORST if one in outcomes), "done")]


def _triggered(api: AirflowApi) -> tuple[list[dict[str, Any]], list[Outcome]]:
    """Return the markets' ingestion runs of today, and that some are held, for they are paused."""
    runs: list[dict[str, Any]] = []
    held: list[Outcome] = []
    for pipeline in pipelines():
        try:
            runs.append(trigger_dag(api, pipeline))
        except Paused as paused:
            print(paused, flush=True)
            held.append("held")
    return runs, held


def _logged() -> int:
    configure()
    with printed_is_logged(), redirect_stderr(sys.stdout):
        return run_batch()


def main() -> int:
    """Run the trigger as the arguments say."""
    parser = argparse.ArgumentParser(description="Start the day's batch and follow it until it is graded.")
    parser.add_argument("--stay", action="store_true", help="do not end but sleep once the batch has ended")
    stay = parser.parse_args().stay
    status = _logged() if stay and LogSettings.load().json_logs else run_batch()
    if not stay:
        print(f"Airflow:  {settings().airflow_url}\nRanking:  {settings().frontend_url}")
    elif status != NOT_READY:
        os.execlp("sleep", "sleep", "infinity")  # noqa: S606  in place of this process: it takes no memory
    return status


if __name__ == "__main__":
    sys.exit(main())
