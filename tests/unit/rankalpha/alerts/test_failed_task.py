"""What an alert says of a failed task."""

from types import SimpleNamespace

import pytest

from rankalpha.alerts.failed_task import CLEAR, describe
from rankalpha.alerts.incident import Urgency
from tests.unit.rankalpha.support.demo_stage import KEY
from tests.unit.rankalpha.support.task_context import TaskInstance, context

PUBLISHING = SimpleNamespace(outlets=["an asset"])


def task_instance(dag_id="rankalpha_scoring", task_id="run_scorer", **xcoms):
    ti = TaskInstance(**xcoms)
    ti.dag_id, ti.task_id = dag_id, task_id
    return ti


def test_it_says_what_failed_and_what_to_do():
    incident = describe(context(KEY, task_instance(), exception=RuntimeError("it broke. Last lines:\n  <x>")))
    assert incident.key == "failed rankalpha_scoring manual__1"
    assert incident.subject == "rankalpha_scoring.run_scorer failed"
    assert incident.text.splitlines() == [
        f"Batch: {KEY}",
        "Run: manual__1, attempt 1",
        "Error: it broke. Last lines:",
        "  <x>",
        "Log: http://airflow/log",
        f"Next: {CLEAR}",
    ]
    assert (incident.urgency, incident.batch) == (Urgency.ACT_NOW, KEY)


def test_with_less_known():
    """As after a lost worker, when the DAG processor runs the callback."""
    ti = SimpleNamespace(dag_id="rankalpha_scoring", task_id="t", run_id="r", try_number=4)
    text = describe(context(None, ti)).text
    assert "Batch: not known yet\n" in text
    assert "\nNo error was reported: the process that ran the task was killed or lost.\n" in text
    assert "Log: in the Airflow UI\n" in text


@pytest.mark.parametrize(
    ("dag_id", "task_id", "urgency"),
    [
        ("rankalpha_grading", "update_grading", Urgency.ACT_NOW),
        ("rankalpha_grading", "show_grades", Urgency.ACT_NOW),
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
    assert incident.subject == "publication blocked in rankalpha_scoring.publish_scores"
    assert f"Batch: {KEY}\n" in incident.text
    assert incident.text.endswith(
        f"\n  docker compose exec airflow-scheduler rankalpha publish-anyway --batch {KEY} --dataset scores "
        "--reason 'why it is right'"
    )


def test_a_publication_without_a_result_says_what_images_that_report_nothing_need():
    missing = {"name": "result", "value": None, "expected": "reported", "severity": "block", "passed": False}
    ti = task_instance(task_id="publish_scores", quarantine={"batch": KEY, "checks": [missing]})
    text = describe(context(None, ti, task=PUBLISHING)).text
    assert "Next: If your own image or API reports nothing, set RANKALPHA_REQUIRE_RESULT=false in" in text
    assert "env/local/airflow.env, apply it with `docker compose up -d --force-recreate`, and clear" in text
    assert f"publish-anyway --batch {KEY} --dataset scores --reason" in text


def test_a_publishing_task_that_failed_for_another_reason_is_not_blocked():
    ti = task_instance(task_id="publish_scores")
    assert describe(context(KEY, ti, task=PUBLISHING)).subject == "rankalpha_scoring.publish_scores failed"


def test_another_market_is_named(tmp_path, monkeypatch):
    (tmp_path / "markets.toml").write_text("[nyse]\n")
    monkeypatch.setenv("RANKALPHA_MARKETS", str(tmp_path / "markets.toml"))
    blocked = {"batch": KEY, "checks": []}
    ti = task_instance("rankalpha_nyse_scoring", "publish_scores", quarantine=blocked)
    incident = describe(context(KEY, ti, task=PUBLISHING))
    assert (incident.key, incident.market) == ("failed rankalpha_nyse_scoring manual__1", "nyse")
    assert f"Batch: {KEY} of nyse\n" in incident.text
    assert f"publish-anyway --market nyse --batch {KEY} --dataset scores --reason" in incident.text
