"""A newer image under the same data, and the operator's commands in it."""

import re
import shlex

import pytest
import requests

from rankalpha.defaults import DEATHS
from tests.support.waiting import wait_for

APPLY = re.compile(r"^\$ docker compose (up .*--force-recreate)$", re.MULTILINE)
KEPT = {"key": "KEPT", "value": "as it was"}


@pytest.fixture(scope="module")
def upgraded(stack, engine, batch, checkout):
    """The stack, taken down and started again from a newer image; what the database held before."""
    stack.settle()
    stack.api.post("variables", KEPT)
    before = history(stack)
    assert "COPY public.dag_run" in stack.exec("postgres", "pg_dump", "-U", "airflow", "airflow")
    stack.exec("api", "rm", "-r", "/data/grades/history")  # as a version without the record has left it
    image = engine.inspect_image("rankalpha_airflow")["Id"]
    stack.output("down")
    (checkout / "datasets" / "newer.py").write_text('"""Makes the image a newer one."""\n')
    stack.up()
    assert engine.inspect_image("rankalpha_airflow")["Id"] != image
    return before


def history(stack):
    """Runs and events of the pipeline, and the record of grades: its batches, and the history of a symbol."""
    assets = ("prices", "scores", "sentiment", "grades")
    dags = ("rankalpha_ingestion", "rankalpha_scoring", "rankalpha_sentiment", "rankalpha_grading")
    return (
        {dag_id: [(run["dag_run_id"], run["state"]) for run in stack.runs(dag_id)] for dag_id in dags},
        {asset: [event["id"] for event in stack.events(asset)] for asset in assets},
        requests.get(f"{stack.urls['api']}/api/v1/grading/batches", timeout=10).json()["batches"],
        requests.get(f"{stack.urls['api']}/api/v1/grading/symbols/XOM/history", timeout=10).json()["history"],
    )


def test_runs_events_variables_and_keys_survive(stack, upgraded):
    renewed = []
    stack.api._log_in = renewed.append  # the token of before is still good
    try:
        assert history(stack) == upgraded
    finally:
        del stack.api._log_in
    assert renewed == []
    assert upgraded[2]
    assert [row["batch"] for row in upgraded[3]] == [line["batch"] for line in upgraded[2]]
    assert stack.api.get("variables/KEPT")["value"] == KEPT["value"]


def test_the_start_up_batch_is_not_repeated_and_an_old_batch_is_re_run(stack, batch, upgraded):
    printed = stack.exec("airflow-scheduler", "rankalpha", "rerun", "--batch", batch, "--from", "scoring")
    assert f"Batch {batch} is graded and the frontend is notified." in printed
    assert len(stack.runs("rankalpha_ingestion")) == len(upgraded[0]["rankalpha_ingestion"])


def test_a_changed_env_file_is_applied_as_the_guide_says(stack, batch, checkout, upgraded):
    with (checkout / "env" / "local" / "airflow.env").open("a") as file:
        file.write("\nRANKALPHA_RETRIES=7\n")
    stack.output(*shlex.split(APPLY.search((checkout / "docs/guides/images.md").read_text())[1]))

    def retries():
        return stack.api.get("dags/rankalpha_scoring/tasks/run_scorer")["retries"]

    wait_for("the setting", lambda: retries() == 7 + DEATHS, seconds=180, forgive=requests.RequestException)
