"""The runbook has a heading for each alert and incident, and each leads to it."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from rankalpha.alerts.failed_task import describe
from rankalpha.alerts.incident import Incident
from rankalpha.alerts.runbook import Heading
from rankalpha.alerts.sent import SentAlert
from rankalpha.health.diagnosis import incidents
from rankalpha.health.snapshot import Snapshot
from rankalpha.health.standing import FRONTEND, Batch, Standing
from rankalpha.lineage.verify_task import verify_versions
from rankalpha.pipeline.pipelines import DEFAULT_PIPELINE
from rankalpha.settings import settings
from rankalpha.watchdog.details import detailed

NOW = datetime(2026, 11, 22, 7, tzinfo=UTC)
KEY = "2026-11-22T06:00:00"
NO_ALERT = ("Repaired", "Prometheus rules")  # headings that no alert leads to
ALL = {step.name: Standing("done") for step in DEFAULT_PIPELINE.steps} | {FRONTEND: Standing("done")}
LATE = Standing("running", run_id="r", queued=NOW - timedelta(hours=1))
WELL = Snapshot(DEFAULT_PIPELINE, NOW, [], [], NOW, NOW, NOW - timedelta(days=1), {})


def batch(**steps):
    return [Batch(KEY, NOW - timedelta(hours=1), ALL | steps)]


SEEN = {
    Heading.BLOCKED: {"batches": batch(scoring=Standing("blocked", run_id="r", held={"batch": KEY}))},
    Heading.FAILED: {"batches": batch(scoring=Standing("failed", run_id="r"))},
    Heading.FRONTEND: {"batches": batch(frontend=Standing("failed", run_id="r"))},
    Heading.LATE: {"batches": batch(scoring=LATE)},
    Heading.PAUSED: {"batches": batch(scoring=Standing("paused"))},
    Heading.OVERDUE: {"batches": batch(scoring=Standing("lost"))},
    Heading.MISSING: {"started": None, "due": NOW - timedelta(hours=1)},
    Heading.COMPONENT: {"heartbeats": {"scheduler": None}},
    Heading.UNSENT: {"sent": [SentAlert(Incident("key", "it broke", ""), NOW, unsent=("Slack",))]},
    Heading.NO_BATCH: {
        "strays": [
            {"dag_id": "rankalpha_scoring", "dag_run_id": "r", "partition_key": None, "state": "failed"}
        ]
    },
}


@pytest.fixture(scope="module")
def headings(root):
    return re.findall(r"(?m)^## (.+)$", (root / "docs/operate/runbook.md").read_text())


@pytest.mark.parametrize("heading", SEEN)
def test_each_incident_leads_to_its_heading(heading):
    (one,) = incidents(replace(WELL, **SEEN[heading]))
    assert one.text.splitlines()[-1] == f"Runbook: docs/operate/runbook.md#{heading.anchor}"


@pytest.mark.parametrize(
    ("dag_id", "task_id", "heading"),
    [
        ("rankalpha_watchdog", "watch_batches", Heading.HOUSEKEEPING),
        ("rankalpha_maintenance", "prune_logs", Heading.HOUSEKEEPING),
        ("rankalpha_maintenance", verify_versions.__name__, Heading.UNVERIFIED),
    ],
)
def test_the_failure_of_a_task_of_no_batch_leads_to_its_heading(dag_id, task_id, heading):
    ti = SimpleNamespace(dag_id=dag_id, task_id=task_id, run_id="r", try_number=1)
    text = describe({"ti": ti, "dag_run": SimpleNamespace(partition_key=None)}).text
    assert text.endswith(f"#{heading.anchor}")


def test_what_a_person_has_ended_leads_to_its_own_heading():
    def get(path, **_):
        answers = {"taskInstances": [], "eventLogs": [{"owner": "ada", "extra": '"failed"'}]}
        name = path.rpartition("/")[2]
        return {"task_instances": answers.get(name), "event_logs": answers.get(name)}

    (one,) = incidents(replace(WELL, **SEEN[Heading.FAILED]))
    text = detailed(SimpleNamespace(get=get), one).text
    assert re.findall(r"#([\w-]+)", text) == [Heading.ENDED.anchor]


def test_the_tests_above_know_each_heading_and_the_page_has_it(headings):
    assert set(Heading) == {*SEEN, Heading.HOUSEKEEPING, Heading.UNVERIFIED, Heading.ENDED}
    assert [heading for heading in headings if heading not in NO_ALERT] == [*dict.fromkeys(map(str, Heading))]


def test_the_runbook_may_be_elsewhere(monkeypatch):
    monkeypatch.setenv("RANKALPHA_RUNBOOK_URL", "https://wiki.example/runbook")
    settings.cache_clear()
    try:
        (one,) = incidents(replace(WELL, **SEEN[Heading.PAUSED]))
    finally:
        monkeypatch.undo()
        settings.cache_clear()
    assert one.text.endswith("\nRunbook: https://wiki.example/runbook#a-paused-dag-holds-batches")
