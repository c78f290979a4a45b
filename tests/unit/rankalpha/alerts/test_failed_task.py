"""What an alert says of a failed task."""

import os
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from airflow.sdk import DAG, BaseOperator, chain
from airflow.sdk.exceptions import AirflowFailException

from rankalpha.alerts.failed_task import CLEAR, describe
from rankalpha.alerts.incident import Urgency
from rankalpha.operators import StageOperator
from rankalpha.pipeline.market import Market
from tests.unit.rankalpha.support.demo_stage import KEY, stage
from tests.unit.rankalpha.support.task_context import TaskInstance, context, published

ROOT = Path(__file__).parents[4]
PUBLISHING = SimpleNamespace(outlets=["an asset"], get_flat_relative_ids=lambda upstream: set())


def task_instance(dag_id="rankalpha_scoring", task_id="run_scorer", **xcoms):
    ti = TaskInstance(**xcoms)
    ti.dag_id, ti.task_id = dag_id, task_id
    return ti


def test_it_says_what_failed_and_what_to_do():
    incident = describe(context(KEY, task_instance(), exception=RuntimeError("it broke. Last lines:\n  <x>")))
    assert incident.key == "failed rankalpha_scoring manual__1"
    assert incident.subject == f"rankalpha_scoring failed for batch {KEY}"
    assert incident.text.splitlines() == [
        f"Batch: {KEY}",
        "Run: manual__1, run_scorer, attempt 1",
        "Error: it broke. Last lines:",
        "  <x>",
        "Log: http://airflow/log",
        f"Next: {CLEAR}",
        "Runbook: docs/operate/runbook.md#a-stage-or-grading-failed",
    ]
    assert (incident.urgency, incident.batch) == (Urgency.ACT_NOW, KEY)


def test_with_less_known():
    """As after a lost worker, when the DAG processor runs the callback."""
    ti = SimpleNamespace(dag_id="rankalpha_scoring", task_id="t", run_id="r", try_number=4)
    incident = describe(context(None, ti))
    assert (incident.urgency, incident.batch) == (Urgency.LOOK_TODAY, "")
    text = incident.text
    assert "Batch: not known\n" in text
    assert "\nNo error was reported: the process that ran the task was killed or lost.\n" in text
    assert "Log: in the Airflow UI\n" in text


@pytest.mark.parametrize(
    ("dag_id", "task_id", "urgency"),
    [
        ("rankalpha_grading", "update_grading", Urgency.ACT_NOW),
        ("rankalpha_grading", "show_grades", Urgency.ACT_NOW),
        ("rankalpha_evaluation", "run_evaluation", Urgency.LOOK_TODAY),
        ("rankalpha_evaluation", "show_evaluations", Urgency.LOOK_TODAY),
        ("rankalpha_grading", "notify_frontend", Urgency.LOOK_TODAY),
        ("rankalpha_watchdog", "watch_batches", Urgency.LOOK_TODAY),
    ],
)
def test_whether_to_act(dag_id, task_id, urgency):
    assert describe(context(KEY, task_instance(dag_id, task_id))).urgency == urgency


def test_an_ingestion_without_a_key_is_of_the_batch_that_it_makes():
    assert describe(context(None, task_instance("rankalpha_ingestion"))).batch == "2025-11-20T06:00:00"


def test_a_blocked_publication_says_how_to_publish_anyway():
    ti = task_instance(task_id="publish_scores", quarantine={"batch": KEY, "checks": []})
    incident = describe(context(None, ti, task=PUBLISHING, exception=RuntimeError("rows is 0")))
    assert incident.subject == f"batch {KEY} is blocked in scores by its contract"
    assert f"Batch: {KEY}\n" in incident.text
    assert (
        f"\n  docker compose exec airflow-scheduler rankalpha publish-anyway --batch {KEY} --dataset scores "
        "--reason 'why it is right'\n"
    ) in incident.text
    assert incident.batch == KEY, "the run has no key, but its result is of that batch"


@pytest.mark.parametrize(
    ("key", "subject"),
    [
        ("2025-11-20T06:00:01", "rankalpha_scoring failed: there is no batch '2025-11-20T06:00:01' for it"),
        ("yesterday", "rankalpha_scoring failed: there is no batch 'yesterday' for it"),
        (None, "rankalpha_scoring failed (run manual__1; batch not known)"),
    ],
)
def test_a_run_that_finds_no_batch_holds_none_back(key, subject):
    stores = published(prices=["2025-11-20T06:00:00"] if key else [])
    operator = StageOperator(task_id="run_scorer", stage=stage(), consumes=list(stores))
    ti = task_instance()
    given = context(key, ti, task=operator, asset_state_store=stores)
    with pytest.raises(AirflowFailException) as failed:
        operator.execute(given)
    incident = describe({**given, "exception": failed.value})
    assert (incident.subject, incident.urgency, incident.batch) == (subject, Urgency.LOOK_TODAY, "")
    assert "Error: " in incident.text
    assert "Nothing waits for this run." in incident.text


def test_a_run_without_a_key_is_of_the_batch_that_it_has_found():
    """As the stage has left it when it failed."""
    ti = task_instance(batch=KEY, result=None, container=None)
    task = BaseOperator(task_id="run_scorer", dag=DAG("rankalpha_scoring", schedule=None))
    incident = describe(context(None, ti, task=task))
    assert (incident.subject, incident.batch) == (f"rankalpha_scoring failed for batch {KEY}", KEY)
    assert incident.urgency == Urgency.ACT_NOW


def test_a_frontend_that_was_not_notified_of_a_run_without_a_key_is_of_its_batch_too():
    """The first task of the DAG has found the batch."""
    ti = task_instance("rankalpha_grading", "notify_frontend")
    ti.xcom_pull = lambda task_ids, key: {"batch": KEY} if task_ids == "update_grading" else None
    with DAG("rankalpha_grading", schedule=None):
        tasks = [BaseOperator(task_id=name) for name in ("update_grading", "publish_grades", ti.task_id)]
        chain(*tasks)
    incident = describe(context(None, ti, task=tasks[-1]))
    assert incident.subject == f"rankalpha_grading did not notify the frontend of batch {KEY}"
    assert (incident.batch, incident.urgency) == (KEY, Urgency.LOOK_TODAY)


@pytest.mark.parametrize("market", ["default", "nyse"])
@pytest.mark.parametrize("stack", ["", "embedded"])
def test_the_command_that_publishes_anyway_can_be_pasted(tmp_path, monkeypatch, market, stack):
    """The shell and make pass it on as it is, whatever the batch's market."""
    (tmp_path / "markets.toml").write_text("[default]\n[nyse]\n")
    monkeypatch.setenv("RANKALPHA_MARKETS", str(tmp_path / "markets.toml"))
    monkeypatch.setenv("RANKALPHA_STACK", stack)
    of_market = Market(name=market)
    ti = task_instance(of_market.dag_id("scoring"), "publish_scores", quarantine={"batch": KEY, "checks": []})
    text = describe(context(None, ti, task=PUBLISHING)).text
    line = next(line.strip() for line in text.splitlines() if "publish-anyway" in line)
    given = called_by(line, tmp_path)
    assert given[given.index("publish-anyway") :] == [
        "publish-anyway",
        *(("--market", "nyse") if market == "nyse" else ()),
        *("--batch", KEY, "--dataset", "scores", "--reason", "why it is right"),
    ]


def called_by(line, folder):
    """What a line that is pasted gives to `docker`, or by `make` and our Makefile to `rankalpha`."""
    for name in ("docker", ".venv/bin/rankalpha"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
        (folder / name).chmod(0o755)
    shutil.copy(ROOT / "Makefile", folder)
    made = "requirements/build.txt requirements/embedded.txt pyproject.toml .venv/build .venv/embedded"
    for age, name in enumerate(reversed(made.split())):  # an installation that is up to date
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
        os.utime(folder / name, (100 - age, 100 - age))
    environment = {
        "PATH": f"{folder}:{os.environ['PATH']}"
    }  # without the settings of a make that runs the tests
    done = subprocess.run(
        ["sh", "-c", line],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.splitlines()


def test_a_publication_without_a_result_says_what_images_that_report_nothing_need():
    missing = {"name": "result", "value": None, "expected": "reported", "severity": "block", "passed": False}
    ti = task_instance(task_id="publish_scores", quarantine={"batch": KEY, "checks": [missing]})
    text = describe(context(None, ti, task=PUBLISHING)).text
    assert "Next: If your own image or API reports nothing, set RANKALPHA_REQUIRE_RESULT=false in" in text
    assert "env/local/airflow.env, apply it with `docker compose up -d --force-recreate`, and clear" in text
    assert f"publish-anyway --batch {KEY} --dataset scores --reason" in text


def test_a_publishing_task_that_failed_for_another_reason_is_not_blocked():
    ti = task_instance(task_id="publish_scores")
    subject = describe(context(KEY, ti, task=PUBLISHING)).subject
    assert subject == f"rankalpha_scoring failed for batch {KEY}"


def test_another_market_is_named(tmp_path, monkeypatch):
    (tmp_path / "markets.toml").write_text("[nyse]\n")
    monkeypatch.setenv("RANKALPHA_MARKETS", str(tmp_path / "markets.toml"))
    blocked = {"batch": KEY, "checks": []}
    ti = task_instance("rankalpha_nyse_scoring", "publish_scores", quarantine=blocked)
    incident = describe(context(KEY, ti, task=PUBLISHING))
    assert (incident.key, incident.market) == ("failed rankalpha_nyse_scoring manual__1", "nyse")
    assert f"Batch: {KEY} of nyse\n" in incident.text
    assert f"publish-anyway --market nyse --batch {KEY} --dataset scores --reason" in incident.text
