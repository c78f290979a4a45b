"""The DAG set with markets that train models: theirs alone, and without them nothing of it."""

import subprocess
import sys

import pytest

from rankalpha.alerts.failed_run import FailedRun
from rankalpha.alerts.incident import Urgency
from rankalpha.lineage.graph import graph
from rankalpha.pipeline.pipelines import PIPELINE, awaited, following, pipeline
from rankalpha.stages import stages_of
from tests.airflow.test_market_dags import parsed

FILE = """
[default]
[default.training]
schedule = "0 3 * * 6"
[nyse]
[nyse.training]
[lse]
"""
OWN = {"rankalpha_training": "models", "rankalpha_nyse_training": "nyse_models"}
LOOK = """
import sys
from pathlib import Path
from rankalpha.lineage.graph import dag_bag
bag = dag_bag(Path.cwd())
assert not bag.import_errors, bag.import_errors
training = {"datasets.models", "rankalpha.operators.approval", "rankalpha.stages.trainer", "sklearn", "skops"}
loaded = (training | {"datasets.comparisons", "rankalpha.operators.compare"}) & sys.modules.keys()
print(len(bag.dags), sorted(loaded))
"""


@pytest.fixture(scope="module")
def trained(root, dags, tmp_path_factory):
    """The DAGs of three markets, two of which train models; those without are parsed before."""
    path = tmp_path_factory.mktemp("training") / "markets.toml"
    path.write_text(FILE)
    with parsed(root, path) as found:
        yield found


def test_only_the_markets_that_train_have_a_dag_for_it(trained):
    assert {dag_id for dag_id in trained if dag_id.endswith("_training")} == OWN.keys()
    steps = [len(pipeline(name).steps) for name in ("default", "nyse", "lse")]
    assert steps == [len(PIPELINE) + 1, len(PIPELINE) + 1, len(PIPELINE)]


def test_where_no_training_and_no_variant_is_declared_nothing_of_them_is_loaded(root, dags, monkeypatch):
    assert set(dags).isdisjoint(OWN)
    monkeypatch.delenv("RANKALPHA_MARKETS", raising=False)
    done = subprocess.run([sys.executable, "-c", LOOK], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == f"{len(dags)} []"


def test_it_runs_by_its_clock_and_no_batch_starts_it(trained):
    found = {dag["dag_id"]: dag for dag in graph(trained)["dags"]}
    for dag_id, dataset in OWN.items():
        assert (found[dag_id]["reads"], found[dag_id]["writes"]) == ([], [dataset])
        assert found[dag_id]["timetable"] == "CronTriggerTimetable"
        assert trained[dag_id].timetable.expression == ("0 4 * * 0" if "nyse" in dag_id else "0 3 * * 6")
        assert not trained[dag_id].deadline
        assert dag_id not in pipeline("nyse" if "nyse" in dag_id else "default").consumers
    for ingestion in ("rankalpha_ingestion", "rankalpha_nyse_ingestion"):
        assert not OWN.keys() & {*following(ingestion), *awaited(ingestion)}


def test_it_reads_published_prices_and_publishes_a_model(trained):
    for dag_id, dataset in OWN.items():
        run, publish = trained[dag_id].topological_sort()[:2]
        prices = dataset.replace("models", "prices")
        assert (run.stage.name, [asset.name for asset in run.inlets]) == ("trainer", [prices])
        assert (publish.task_id, [asset.name for asset in publish.outlets]) == ("publish_models", [dataset])
        (volume,) = [volume for volume in run.stage.docker.volumes if volume.target == "/data/prices"]
        assert volume.read_only


def test_a_person_decides_and_silence_rejects(trained):
    for dag_id, dataset in OWN.items():
        ask, name = trained[dag_id].topological_sort()[2:]
        assert (ask.task_id, name.task_id) == ("approve_model", "name_champion")
        assert (ask.defaults, ask.response_timeout.days) == (["Reject"], 5)
        assert [asset.name for asset in (*ask.inlets, *name.inlets)] == [dataset, dataset]
        assert not ask.outlets + name.outlets, "an event is of a model, not of what people say of it"


def test_only_the_scorer_of_a_market_that_trains_has_the_models(trained):
    volumes = {
        dag_id: {volume.name for volume in trained[dag_id].get_task("run_scorer").stage.docker.volumes}
        for dag_id in ("rankalpha_scoring", "rankalpha_nyse_scoring", "rankalpha_lse_scoring")
    }
    assert volumes == {
        "rankalpha_scoring": {"prices_data", "models"},
        "rankalpha_nyse_scoring": {"prices_data_nyse", "models_nyse"},
        "rankalpha_lse_scoring": {"prices_data_lse"},
    }


def test_it_keeps_the_policy_of_a_step_that_no_batch_waits_for(trained):
    for dag_id in OWN:
        dag = trained[dag_id]
        assert (dag.max_active_runs, dag.catchup) == (1, False)
        assert all(
            f"**{part}" in dag.doc_md for part in ("Reads", "Writes", "Runs", "Healthy", "If it", "Running")
        )
        for task in dag.tasks:
            assert (task.priority_weight, task.weight_rule) == (0, "absolute")
            assert task.execution_timeout
            assert task.on_failure_callback
        market = pipeline("nyse" if "nyse" in dag_id else "default")
        failed = FailedRun(pipeline=market, dag_id=dag_id, run_id="r", batch="b")
        assert failed.incident().urgency is Urgency.LOOK_TODAY


def test_the_proxy_allows_a_trainer_where_a_market_trains(trained):
    names = {name: [stage.name for stage in stages_of(pipeline(name).market)] for name in ("nyse", "lse")}
    assert set(names["nyse"]) - set(names["lse"]) == {"trainer"}
