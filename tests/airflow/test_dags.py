"""The DAG set's integrity: what is parsed, and what every DAG and task must have."""

import json
import os
import subprocess
import sys
from datetime import datetime, timedelta
from importlib import import_module

import pytest
from airflow.sdk import Asset
from jsonschema import Draft202012Validator

from rankalpha.alerts.incident import STORE
from rankalpha.alerts.notifier import AlertNotifier
from rankalpha.defaults import DEATHS, CountedFailures
from rankalpha.pipeline.pipelines import PIPELINE
from rankalpha.pipeline.steps import HOUSEKEEPING, SHAPE

HOUSEKEEPING_TASKS = {
    "rankalpha_maintenance": ["prune_logs", "prune_metadata", "verify_versions"],
    "rankalpha_watchdog": ["watch_batches", "sweep_containers"],
}  # of DAGs that belong to no batch
STEPS = {f"rankalpha_{step.name}": step for step in SHAPE}  # by DAG
OF_SOME = ("comparison.py", "training.py")  # of variants alone, and of markets that train
DAGS = [*STEPS, *HOUSEKEEPING_TASKS]
DATASETS = sorted(step.writes for step in SHAPE)


def all_tasks(dags):
    return [task for dag in dags.values() for task in dag.tasks]


def test_no_import_errors(dag_bag):
    assert dag_bag.import_errors == {}


def test_the_dags_are_exactly_these(dags):
    """The steps of the pipeline, and the housekeeping; the graph's snapshot lists them too."""
    assert set(dags) == set(DAGS) == {*PIPELINE, *(f"rankalpha_{name}" for name in HOUSEKEEPING)}


@pytest.mark.parametrize("dag_id", STEPS)
def test_a_step_reads_runs_its_stage_and_publishes(dags, dag_id):
    step = STEPS[dag_id]
    first, publishing, *follow_ups = dags[dag_id].topological_sort()
    stage = getattr(first, "stage", None)
    assert (stage.name if stage else "") == step.stage
    assert [asset.name for asset in first.inlets] == list(step.reads)
    assert publishing.task_id == f"publish_{step.writes}"
    assert [asset.name for asset in publishing.outlets] == [step.writes]
    assert [task.task_id for task in follow_ups] == list(step.follow_ups)


@pytest.mark.parametrize("dag_id", HOUSEKEEPING_TASKS)
def test_the_tasks_of_the_housekeeping_are_exactly_these_in_this_order(dags, dag_id):
    assert [task.task_id for task in dags[dag_id].topological_sort()] == HOUSEKEEPING_TASKS[dag_id]


def test_only_the_files_in_dags_are_parsed(dag_bag, root):
    parsed = sorted(stats.file.lstrip("/") for stats in dag_bag.dagbag_stats)
    assert parsed == sorted(f"dags/{path.name}" for path in (root / "dags").glob("*.py"))


def test_a_dag_file_holds_one_dag_and_is_short(dags, root):
    files = sorted((root / "dags").glob("*.py"))
    own = [str(path) for path in files if path.name not in OF_SOME]
    assert sorted({dag.fileloc for dag in dags.values()}) == own
    assert all(len(path.read_text().splitlines()) <= 60 for path in files)


@pytest.mark.parametrize("dag_id", DAGS)
def test_a_dag_is_documented_and_bounded(dags, dag_id):
    dag = dags[dag_id]
    for heading in (
        "**Reads**",
        "**Writes**",
        "**Runs**",
        "**Healthy when**",
        "**If it fails**",
        "**Running it again**",
    ):
        assert heading in dag.doc_md
    assert "rankalpha" in dag.tags
    assert dag.max_active_runs == 1
    assert dag.catchup is False


def test_every_task_has_owner_retries_timeout_and_alert(dags):
    for task in all_tasks(dags):
        assert task.owner == "rankalpha"
        # the watchdog's next round is near
        assert task.retries == (0 if task.dag_id == "rankalpha_watchdog" else 3 + DEATHS)
        assert type(task.retry_policy) is CountedFailures
        assert task.retry_delay == timedelta(minutes=5)
        assert task.retry_exponential_backoff == 2.0
        assert task.max_retry_delay == timedelta(minutes=30)
        assert timedelta(0) < task.execution_timeout <= timedelta(hours=1, minutes=1)
        assert [type(callback) for callback in task.on_failure_callback] == [AlertNotifier]


def test_every_run_of_the_pipeline_has_a_deadline_that_needs_no_logical_date(dags):
    """A run that a dataset has triggered has none."""
    for dag_id in PIPELINE:
        (deadline,) = dags[dag_id].deadline
        assert type(deadline.reference).__name__ == "DagRunQueuedAtDeadline"
        assert deadline.interval == timedelta(minutes=30)
        assert deadline.callback.path == "rankalpha.alerts.deadline.missed"
    assert not any(dags[dag_id].deadline for dag_id in HOUSEKEEPING_TASKS)


def test_stages_push_no_return_value(dags):
    stages = [task for task in all_tasks(dags) if not task.outlets]
    assert stages
    assert not any(task.do_xcom_push for task in stages)


def test_no_task_of_an_optional_step_goes_before_one_that_a_batch_waits_for(dags):
    """Both have places in the same pools; Airflow takes the highest total weight first."""
    for dag_id, step in STEPS.items():
        for task in dags[dag_id].tasks:
            expected = (0, "absolute") if step.optional else (1, "downstream")
            assert (task.priority_weight, task.weight_rule) == expected


def test_each_dataset_has_one_producer_and_the_consumed_ones_exist(dags):
    produced = [outlet for task in all_tasks(dags) for outlet in task.outlets]
    assert sorted(asset.name for asset in produced) == DATASETS
    consumed = {inlet for task in all_tasks(dags) for inlet in task.inlets}
    assert {asset.name for asset in consumed - set(produced)} == {STORE}, "only its state store is used"
    assert len(consumed) > 1


def contract_of(asset):
    return getattr(import_module(f"datasets.{asset.name}"), f"{asset.name.upper()}_CONTRACT")


@pytest.mark.parametrize("name", DATASETS)
def test_a_dataset_is_complete_and_stable(name):
    (asset,) = [it for it in vars(import_module(f"datasets.{name}")).values() if isinstance(it, Asset)]
    assert (asset.name, asset.uri) == (name, f"rankalpha://{name}/")
    contract = contract_of(asset)
    assert contract.owner
    assert len(contract.description) > 20
    assert contract.freshness > timedelta(0)
    assert any(check.severity == "block" for check in contract.checks)
    Draft202012Validator.check_schema(contract.schema)  # too slow for a parse
    shown = asset.extra
    assert (shown["owner"], shown["description"]) == (contract.owner, contract.description)
    assert shown["fresh for hours"] > 0
    assert set(shown["checks"]) == {check.name for check in contract.checks}


def test_each_dataset_is_published_by_its_own_contract(dags):
    publishing = [task for task in all_tasks(dags) if task.outlets]
    for task in publishing:
        (asset,) = task.outlets
        assert task.contract == contract_of(asset)


COUNT_REQUESTS = """
import sys
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk.execution_time import task_runner
from sqlalchemy import event
from sqlalchemy.engine import Engine

requests = []

class Supervisor:  # what the DAG processor is to a DAG file: the way to Variables and connections
    def send(self, message, **_):
        requests.append(message)
        raise RuntimeError("a DAG file asks for something")

task_runner.SUPERVISOR_COMMS = Supervisor()
event.listen(Engine, "do_connect", lambda *args: requests.append(args))
sys.addaudithook(lambda name, args: requests.append(args) if name == "socket.connect" else None)
bag = DagBag(sys.argv[1])
requests += [name for name in ("exchange_calendars",) if name in sys.modules]  # not in Airflow's image
print(len(bag.dags), len(bag.import_errors), len(requests))
"""


def test_parsing_opens_no_connection(root):
    """Neither a database nor an API is asked for anything while DAG files are parsed."""
    done = subprocess.run(
        [sys.executable, "-c", COUNT_REQUESTS, str(root)],
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split()[-3:] == [str(len(DAGS)), "0", "0"]


@pytest.mark.parametrize("now", ["2026-11-23T06:00:05", "2026-11-23T07:30:00", "2026-11-24T05:59:59"])
def test_the_first_scheduled_run_is_the_next_one_and_never_a_missed_one(dags, monkeypatch, now):
    """One that Airflow made up for at the very first start could end before its consumers are parsed."""
    from airflow.serialization.serialized_objects import DagSerialization

    monkeypatch.setattr("airflow.timetables.trigger.utcnow", lambda: datetime.fromisoformat(f"{now}+00:00"))
    serialized = json.loads(json.dumps(DagSerialization.to_dict(dags["rankalpha_ingestion"])))
    run = DagSerialization.from_dict(serialized).next_dagrun_info(last_automated_run_info=None)
    assert run.run_after.isoformat() == "2026-11-24T06:00:00+00:00"
