"""Run the pipeline when Airflow has started: the start-up trigger of every stack.

Waits for Airflow, follows the ingestion run that is already there or triggers one, and ends when its batch is
graded. Exit status: 0 graded, 1 not graded, 2 Airflow is not ready.
"""

import sys

import requests
from rich.console import Console
from rich.table import Table

from rankalpha.airflow_api import AirflowApi, AirflowApiError
from rankalpha.settings import AdminSettings, SettingsError, settings
from rankalpha.startup import NotReady, batch_of_run, monitor_execution, trigger_dag, wait_for_airflow

TOP = 10


def show_grades(api_url: str, batch: str) -> None:
    """Print the best stocks of a batch; nothing where the API is not the reference one."""
    try:
        answer = requests.get(f"{api_url}/api/v1/grading/grades", params={"batch": batch}, timeout=10).json()
        table = Table(title=f"Top grades of batch {answer['batch']}, prices as of {answer['as_of']}")
        for column in ("rank", "symbol", "grade", "composite"):
            table.add_column(column, justify="right" if column in ("rank", "composite") else "left")
        for row in answer["grades"][:TOP]:
            table.add_row(str(row["rank"]), row["symbol"], row["grade"], f"{row['composite']:.1f}")
    except (requests.RequestException, KeyError, TypeError, ValueError):
        return
    Console().print(table)


def main() -> int:
    """Run the trigger against the Airflow of the settings."""
    try:
        admin = AdminSettings.load()
        api = AirflowApi(settings().airflow_url, admin.user, admin.password.get_secret_value())
        print("Waiting for Airflow", flush=True)
        wait_for_airflow(api)
        run = trigger_dag(api)
        graded = monitor_execution(api, run)
    except (NotReady, AirflowApiError, SettingsError, requests.RequestException) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if graded:
        show_grades(settings().api_url, batch_of_run(run))
    print(f"Airflow:  {settings().airflow_url}  (user {admin.user})\nRanking:  {settings().frontend_url}")
    return 0 if graded else 1


if __name__ == "__main__":
    sys.exit(main())
