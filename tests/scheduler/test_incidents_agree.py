"""What alert, health, page and metrics say of a failed run: the same, by Airflow's own API and database."""

import re
from datetime import UTC, datetime
from types import SimpleNamespace
from urllib.parse import quote

import pytest
from airflow.sdk.exceptions import AirflowFailException

from rankalpha.airflow_api import OWN_ROUTES, AirflowApiError
from rankalpha.alerts.failed_task import describe
from rankalpha.alerts.incident import STORE, Urgency
from rankalpha.alerts.sent import SentAlert
from rankalpha.commands.publish_anyway import publish_anyway
from rankalpha.commands.refusals import Refused
from rankalpha.contract.quarantine import PUBLISH_ANYWAY, QUARANTINE
from rankalpha.health.diagnosis import all_incidents
from rankalpha.health.overview import overview
from rankalpha.health.snapshot import snapshots
from rankalpha.health.summary import health
from rankalpha.pipeline.pipelines import DEFAULT_PIPELINE
from rankalpha.stages.output import OUTPUT
from rankalpha.watchdog.resolved import close
from rankalpha.web.metrics.families import registry
from tests.scheduler.api_server import api_server
from tests.scheduler.joining import Pipeline, fresh_keys

SCORING = "rankalpha_scoring"
CHECKS = [
    {"name": "rows", "value": 0, "expected": "at least 1", "severity": "block", "passed": False},
    {"name": "symbols", "value": None, "expected": "at least 1", "severity": "block", "passed": True},
]
RESULT = {"rows": 0, "symbols": None, "as_of": None}


@pytest.fixture(scope="module")
def api(airflow_db):
    with api_server() as client:
        yield client


@pytest.fixture(scope="module")
def pipeline(airflow_db):
    return Pipeline()


@pytest.fixture
def batch(pipeline):
    """A batch whose prices are published."""
    (key,) = fresh_keys(1)
    pipeline.publish("prices", key)
    return key


class Failed:
    """A run of scoring that a person has triggered and that has failed, and the alert of its task."""

    def __init__(self, api, key, task_id, xcoms, conf=None):
        body = {"logical_date": None, "partition_key": key, "conf": conf or {}}
        self.api, self.task_id = api, task_id
        self.run_id = api.post(f"dags/{SCORING}/dagRuns", body)["dag_run_id"]
        self.key, self.path = key, f"dags/{SCORING}/dagRuns/{self.run_id}"
        for task, name, value in xcoms:
            api.post(f"{self.path}/taskInstances/{task}/xcomEntries", {"key": name, "value": value})
        self.set(run_scorer="success" if task_id != "run_scorer" else "failed", publish_scores="failed")
        self.xcoms = {(task, name): value for task, name, value in xcoms}

    def set(self, **states):
        """End the run and its tasks as a scheduler does."""
        from airflow.models.dagrun import DagRun
        from airflow.models.taskinstance import TaskInstance
        from airflow.utils.session import create_session
        from sqlalchemy import update

        now = datetime.now(UTC)
        ended = {"state": "failed", "start_date": now, "end_date": now, "updated_at": now}
        with create_session() as session:
            session.execute(update(DagRun).where(DagRun.run_id == self.run_id).values(**ended))
            for task, state in states.items():
                ours = (TaskInstance.run_id == self.run_id, TaskInstance.task_id == task)
                session.execute(update(TaskInstance).where(*ours).values(state=state, try_number=1))

    @property
    def alert(self):
        """The incident that the failed task's callback makes."""
        xcom_pull = lambda task_ids, key: self.xcoms.get((task_ids, key))  # noqa: E731
        ti = SimpleNamespace(dag_id=SCORING, task_id=self.task_id, run_id=self.run_id, try_number=1)
        ti.xcom_pull, ti.log_url = xcom_pull, ""
        publishes = self.task_id == "publish_scores"
        task = SimpleNamespace(
            outlets=["scores"] if publishes else [],
            get_flat_relative_ids=lambda upstream: {"run_scorer"} if publishes else set(),
        )
        run = SimpleNamespace(partition_key=self.key, logical_date=None, run_after=datetime.now(UTC))
        return describe({"ti": ti, "dag_run": run, "task": task})

    def seen(self):
        """What health has of the run, and the whole of what it shows."""
        shown = health(overview(self.api, 1, DEFAULT_PIPELINE))
        return [one for one in shown["incidents"] if one["key"].endswith(f" {self.run_id}")], shown


def agreed(failed):
    """The one incident of a failed run, of which the alert and health say the same; and what health shows."""
    (one,), shown = failed.seen()
    for name in ("key", "subject", "urgency", "batch", "market"):
        assert one[name] == getattr(failed.alert, name), name
    last = failed.alert.text.partition("Next: ")[2]
    assert last
    assert one["text"].endswith(last), "the advice is the same"
    assert not shown["well"]
    from prometheus_client import generate_latest

    metrics = generate_latest(registry([shown])).decode()
    (counted,) = re.findall(r'incidents\{.*kind="failed".*\} (\d+)', metrics)
    assert int(counted) == sum(each["key"].startswith("failed ") for each in shown["incidents"])
    assert one["key"].startswith("failed ")
    return one, shown


def step(shown, key, name="scoring"):
    (found,) = [one for one in shown["batches"] if one["batch"] == key]
    return next(one for one in found["steps"] if one["step"] == name)


def test_a_failed_run_without_a_key_is_of_the_batch_that_it_had_found(api, batch):
    output = {"batch": batch, "result": None, "container": None}
    failed = Failed(api, None, "run_scorer", [("run_scorer", OUTPUT, output)])
    one, shown = agreed(failed)
    assert (one["urgency"], one["batch"]) == (Urgency.ACT_NOW, batch)
    assert step(shown, batch)["state"] == "failed"


def test_a_failed_run_that_had_found_no_batch_is_of_none(api, batch):
    one, shown = agreed(Failed(api, None, "run_scorer", []))
    assert (one["urgency"], one["batch"]) == (Urgency.LOOK_TODAY, "")
    assert step(shown, batch)["state"] != "failed"


def test_what_is_blocked_is_said_to_be_so_with_its_checks_and_figures(api, batch):
    refused = {"batch": batch, "result": RESULT, "container": None, "checks": CHECKS}
    failed = Failed(api, batch, "publish_scores", [("publish_scores", QUARANTINE, refused)])
    one, shown = agreed(failed)
    assert one["subject"] == f"batch {batch} is blocked in scores by its contract"
    assert "Checks: Rows is 0; expected at least 1.\n" in one["text"]
    seen = step(shown, batch)
    assert (seen["state"], seen["held"]["task"], seen["held"]["rows"]) == ("blocked", "publish_scores", 0)
    assert [check["verdict"] for check in seen["held"]["checks"]] == ["BLOCKS", "not checked"]


@pytest.mark.parametrize("key", ["yesterday", "2999-01-01T00:00:00", "1999-12-31T00:00:01"])
def test_a_mistyped_key_is_refused_and_leaves_nothing(api, batch, key):
    runs = api.get(f"dags/{SCORING}/dagRuns")["total_entries"]
    with pytest.raises(AirflowApiError) as refused:
        api.post(f"dags/{SCORING}/dagRuns", {"logical_date": None, "partition_key": key})
    assert refused.value.status == 400
    assert key in refused.value.detail
    assert api.get(f"dags/{SCORING}/dagRuns")["total_entries"] == runs


def test_a_mistyped_key_is_refused_where_a_dataset_is_materialized_too(api, batch):
    scores = next(one["id"] for one in api.every("assets", "assets") if one["name"] == "scores")
    runs = api.get(f"dags/{SCORING}/dagRuns")["total_entries"]
    for key in ("yesterday", "1999-12-31T00:00:01"):
        with pytest.raises(AirflowApiError) as refused:
            api.post(f"assets/{scores}/materialize", {"partition_key": key})
        assert (refused.value.status, key in refused.value.detail) == (400, True)
    assert api.get(f"dags/{SCORING}/dagRuns")["total_entries"] == runs


def test_a_key_that_is_right_passes(api, batch):
    run = api.post(f"dags/{SCORING}/dagRuns", {"logical_date": None, "partition_key": batch})
    assert run["partition_key"] == batch


@pytest.mark.parametrize(("dag_id", "status"), [("rankalpha_watchdog", 400), ("none", 404)])
def test_of_a_dag_without_batches_airflow_alone_says_what_it_takes(api, dag_id, status):
    with pytest.raises(AirflowApiError) as refused:
        api.post(f"dags/{dag_id}/dagRuns", {"logical_date": None, "partition_key": "x"})
    assert (refused.value.status, "batch key" in refused.value.detail) == (status, False)


def test_a_run_that_has_a_mistyped_key_all_the_same_makes_no_batch(api, batch):
    """As when the key came by another way than the route that triggers DAGs."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import update

    failed = Failed(api, batch, "run_scorer", [])
    (wrong,) = fresh_keys(1)
    with create_session() as session:
        session.execute(update(DagRun).where(DagRun.run_id == failed.run_id).values(partition_key=wrong))
    (one,), shown = failed.seen()
    assert (one["batch"], one["urgency"]) == ("", Urgency.LOOK_TODAY)
    assert one["subject"] == f"{SCORING} failed: there is no batch '{wrong}' for it"
    assert wrong not in {found["batch"] for found in shown["batches"]}


def test_publishing_anyway_is_one_route_with_the_rights_of_its_caller(api, batch):
    refused = {"batch": batch, "result": RESULT, "container": None, "checks": CHECKS}
    failed = Failed(api, batch, "publish_scores", [("publish_scores", QUARANTINE, refused)])
    for dataset, match in (("stocks", "there is no dataset"), ("prices", "is not blocked in prices")):
        with pytest.raises(Refused, match=match):
            publish_anyway(api, DEFAULT_PIPELINE, batch, dataset, "known")
    run = publish_anyway(api, DEFAULT_PIPELINE, batch, "scores", " known ")
    assert run["dag_run_id"] == failed.run_id
    path = f"{failed.path}/taskInstances/run_scorer/xcomEntries/{PUBLISH_ANYWAY}"
    assert api.get(path)["value"] == {"by": "rankalpha", "reason": "known", "try": 2}
    assert api.get(f"{failed.path}/taskInstances/publish_scores")["state"] is None
    with pytest.raises(Refused, match="is not blocked"):
        publish_anyway(api, DEFAULT_PIPELINE, batch, "scores", "known")


def test_publishing_anyway_asks_who_calls(api, batch):
    import requests

    body = {"batch": batch, "dataset": "scores", "reason": "known"}
    answer = requests.post(f"{api.url}{OWN_ROUTES}/publish-anyway", json=body, timeout=30)
    assert answer.status_code == 401


@pytest.fixture
def verification(api):
    """Sets how the hourly verification has ended last; in the end its run is gone."""
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session
    from sqlalchemy import update

    run_id = api.post("dags/rankalpha_maintenance/dagRuns", {"logical_date": None})["dag_run_id"]

    def ended(state):
        values = {"state": state, "end_date": datetime.now(UTC), "try_number": 1}
        ours = (TaskInstance.run_id == run_id, TaskInstance.task_id == "verify_versions")
        with create_session() as session:
            session.execute(update(TaskInstance).where(*ours).values(**values))

    yield ended
    api.delete(f"dags/rankalpha_maintenance/dagRuns/{run_id}")


def test_published_data_that_were_changed_are_seen_for_as_long_as_they_are_not_right(api, verification):
    """The verification alerts, and health, page and metrics say so until it has succeeded again."""
    ti = SimpleNamespace(dag_id="rankalpha_maintenance", task_id="verify_versions", run_id="r", try_number=1)
    error = AirflowFailException("published data were changed on the disk: prices.parquet: missing")
    incident = describe({"ti": ti, "exception": error})
    sent = SentAlert(incident, datetime.now(UTC), delivered=("log",))
    asset = next(one["id"] for one in api.every("assets", "assets") if one["name"] == STORE)
    path = f"assets/{asset}/state-store/{quote(incident.key)}"
    api._send("PUT", path, json={"value": sent.write()})

    def seen():
        shown = health(overview(api, 1, DEFAULT_PIPELINE))
        return [(one["subject"], one["text"]) for one in shown["incidents"] if one["key"] == incident.key]

    try:
        verification("failed")
        assert seen() == [("rankalpha_maintenance.verify_versions failed", incident.text)]
        (snapshot,) = snapshots(api, 1, [DEFAULT_PIPELINE])
        close(api, [snapshot], all_incidents([snapshot]))  # it lasts, so nothing is changed
        verification("success")
        assert seen() == []
    finally:
        api.delete(path)
