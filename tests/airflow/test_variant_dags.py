"""The DAG set with challengers: the champions' DAGs are as ever, and no challenger shows anything."""

import json

import pytest

from rankalpha.alerts.failed_run import FailedRun
from rankalpha.alerts.incident import Urgency
from rankalpha.lineage.graph import dag_bag, graph
from rankalpha.pipeline.pipelines import PIPELINE, pipeline, pipelines
from tests.airflow.test_market_dags import parsed

FILE = """
[default]
[default.variants.challenger]
images = {scorer = "rankalpha_scorer:2"}
[nyse]
slots = 2
[nyse.variants.weight]
sentiment_weight = 0.3
"""
LONGEST_LINE = 110  # characters that fit the page of an asset
OWN = {
    "rankalpha_challenger_scoring": (["prices"], ["challenger_scores"]),
    "rankalpha_challenger_grading": (["challenger_scores", "sentiment"], ["challenger_grades"]),
    "rankalpha_challenger_comparison": (["challenger_grades", "grades"], ["challenger_comparisons"]),
    "rankalpha_nyse_weight_grading": (["nyse_scores", "nyse_sentiment"], ["nyse_weight_grades"]),
    "rankalpha_nyse_weight_comparison": (["nyse_grades", "nyse_weight_grades"], ["nyse_weight_comparisons"]),
}


@pytest.fixture(scope="module")
def both(root, dags, tmp_path_factory):
    """The DAGs of champions and challengers by id; those without are parsed before."""
    path = tmp_path_factory.mktemp("variants") / "markets.toml"
    path.write_text(FILE)
    with parsed(root, path) as found:
        yield found


def test_only_what_differs_has_a_dag_of_its_own(both):
    nyse = {f"rankalpha_nyse_{dag_id.removeprefix('rankalpha_')}" for dag_id in PIPELINE}
    assert set(both) == {*PIPELINE, *nyse, *OWN, "rankalpha_watchdog", "rankalpha_maintenance"}


def test_a_challenger_is_joined_by_the_datasets_of_the_same_batch(both):
    found = {dag["dag_id"]: dag for dag in graph(both)["dags"]}
    for dag_id, (reads, writes) in OWN.items():
        assert (found[dag_id]["reads"], found[dag_id]["writes"]) == (reads, writes)
        assert found[dag_id]["timetable"] == "PartitionedAssetTimetable"


def test_what_the_pipelines_say_is_what_the_dags_do(both):
    for one in pipelines():
        for step in one.steps:
            (producer,) = [task for task in both[step.dag_id].tasks if task.outlets]
            assert [asset.name for asset in producer.outlets] == [step.writes]
            assert {asset.name for task in both[step.dag_id].tasks for asset in task.inlets} == set(
                step.reads
            )


def test_every_form_says_that_its_key_is_the_batch_and_how_it_is_written(both):
    """Airflow shows the description of the first param above its field for the partition key."""
    forms = {
        dag_id: [dag.params.get_param(name).description for name in dag.params]
        for dag_id, dag in both.items()
        if any(task.outlets for task in dag.tasks)
    }
    assert set(forms) == {dag_id for one in pipelines() for dag_id in one.dag_ids}
    for dag_id, (first, *_) in forms.items():
        assert "is the batch: a UTC time such as 2026-11-22T06:00:00" in first, dag_id


def test_every_asset_says_in_short_first_lines_what_it_is(both):
    """Airflow shows `extra` above the events, a line for each of its lines as JSON."""
    assets = {asset.name: asset for dag in both.values() for task in dag.tasks for asset in task.outlets}
    assert set(assets) == {step.writes for one in pipelines() for step in one.steps}
    for name, asset in assets.items():
        first = ["description", "owner", "fresh for hours", "partition", "checks"]
        assert list(asset.extra) == first, name
        assert all(asset.extra[part] for part in first), name
        assert max(map(len, json.dumps(asset.extra, indent=2).splitlines())) < LONGEST_LINE, name


def test_the_champions_dags_are_those_of_a_set_without_variants(both, dags):
    from airflow.serialization.serialized_objects import DagSerialization

    def serialized(dag):
        return json.dumps(DagSerialization.to_dict(dag), sort_keys=True, default=str)

    for dag_id in PIPELINE:
        assert serialized(both[dag_id]) == serialized(dags[dag_id])


def test_a_challenger_shows_notifies_and_reports_nothing(both):
    tasks = {dag_id: both[dag_id].topological_sort() for dag_id in OWN}
    calls = {task.call.name for of_dag in tasks.values() for task in of_dag if hasattr(task, "call")}
    assert calls == {"GRADING", "COMPARE"}
    publishing = [task for of_dag in tasks.values() for task in of_dag if task.outlets]
    assert not any(task.on_success_callback for task in publishing)
    assert all(len(of_dag) == 2 for of_dag in tasks.values())


def test_the_stages_of_a_challenger_wait_in_a_pool_of_their_own_behind_all_others(both):
    champions = [task for dag_id in PIPELINE for task in both[dag_id].tasks]
    least = min(task.priority_weight for task in champions if task.dag_id != "rankalpha_evaluation")
    pools = {task.pool for task in champions}
    for dag_id in OWN:
        own = dag_id.removeprefix("rankalpha_").rpartition("_")[0]
        for task in both[dag_id].tasks:
            assert (task.priority_weight, task.weight_rule) == (0, "absolute")
            assert task.priority_weight < least
            if hasattr(task, "stage"):
                assert task.pool == f"stages_{own}"
                assert task.pool not in pools


def test_a_challengers_image_is_its_own_and_its_data_are_the_champions(both):
    own, champion = (
        both[dag_id].get_task("run_scorer").stage
        for dag_id in ("rankalpha_challenger_scoring", "rankalpha_scoring")
    )
    assert (own.market.images, champion.market.images) == ({"scorer": "rankalpha_scorer:2"}, {})
    assert own.docker == champion.docker
    grading = both["rankalpha_nyse_weight_grading"].get_task("update_grading").call
    assert (grading.market.sentiment_weight, grading.market.folder) == (0.3, "nyse")


def test_a_challengers_dag_says_what_it_is_and_keeps_the_policy(both):
    for dag_id in OWN:
        dag = both[dag_id]
        assert "**Variant `" in dag.doc_md
        assert (dag.max_active_runs, dag.catchup, bool(dag.deadline)) == (1, False, True)
        assert {"challenger", "weight"} & dag.tags
        for task in dag.tasks:
            assert task.retries == both["rankalpha_scoring"].tasks[0].retries
            assert task.on_failure_callback


def test_a_challengers_failure_is_looked_at_today(both):
    def urgency(dag_id):
        market = "nyse" if "nyse" in dag_id else "default"
        return FailedRun(pipeline=pipeline(market), dag_id=dag_id, run_id="r", batch="b").incident().urgency

    assert {urgency(dag_id) for dag_id in OWN} == {Urgency.LOOK_TODAY}
    assert urgency("rankalpha_nyse_grading") is Urgency.ACT_NOW


def test_a_task_parses_its_own_dag_alone(both, root, monkeypatch):
    for dag_id, step in (("rankalpha_challenger_scoring", "scoring"), ("rankalpha_scoring", "scoring")):
        monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", dag_id)  # as Airflow sets it
        found = dag_bag(root).dags
        assert [one for one in found if one.endswith(f"_{step}")] == [dag_id]
