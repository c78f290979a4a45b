"""The DAG set of many markets: each has DAGs like the default one's, and nothing that another one has."""

import json
import os
import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from rankalpha.lineage.graph import dag_bag, graph
from rankalpha.lineage.mermaid import mermaid
from rankalpha.pipeline.markets import markets
from rankalpha.pipeline.pipelines import PIPELINE, _by_dag, pipeline, pipelines
from rankalpha.pipeline.steps import DATASETS
from rankalpha.settings import settings
from tests.airflow.test_dags import COUNT_REQUESTS

MANY = 100
NAMES = [f"m{number:02}" for number in range(1, MANY)]
STEPS = tuple(DATASETS)
CPU_SECONDS = 10  # for 502 DAGs on a machine that does other things; 0.9 on one that is idle


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A file of 100 markets, the default one and others with settings of all kinds."""
    path = tmp_path_factory.mktemp("markets") / "markets.toml"
    tables = [f'[{name}]\nschedule = "30 21 * * 1-5"\n' for name in NAMES]
    tables[0] += 'slots = 3\nprofile = "nyse"\nimages = {scorer = "scorer:2"}\n'
    path.write_text("".join(["[default]\n", *tables]))
    return path


@pytest.fixture(scope="module")
def many(root, file, dags):
    """The DAGs of the 100 markets by id; those without markets are parsed before."""
    with parsed(root, file) as found:
        yield found


@contextmanager
def parsed(root, file):
    """The DAGs of a file of markets by id."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RANKALPHA_MARKETS", str(file))
        forget()
        bag = dag_bag(root)
        assert bag.import_errors == {}
        yield bag.dags
    forget()


def forget():
    for read in (settings, markets, pipelines, _by_dag):
        read.cache_clear()


def test_each_market_has_a_dag_for_each_step(many):
    own = {f"rankalpha_{name}_{step}" for name in NAMES for step in STEPS}
    assert set(many) == {*PIPELINE, *own, "rankalpha_watchdog", "rankalpha_maintenance"}


def test_the_default_markets_dags_are_those_of_a_set_without_markets(many, dags):
    """But for when they were parsed."""
    from airflow.serialization.serialized_objects import DagSerialization

    def serialized(dag):
        return json.dumps(DagSerialization.to_dict(dag), sort_keys=True, default=str)

    for dag_id in PIPELINE:
        assert serialized(many[dag_id]) == serialized(dags[dag_id])


def test_each_market_is_like_the_default_one_under_names_of_its_own(many):
    found = graph(many)
    by_id = {dag["dag_id"]: dag for dag in found["dags"]}
    uris = {one["name"]: one["uri"] for one in found["datasets"]}
    for name in NAMES:
        for step in STEPS:
            default = json.dumps(by_id[f"rankalpha_{step}"])
            own = json.dumps(by_id[f"rankalpha_{name}_{step}"])
            expected = default.replace(f"rankalpha_{step}", f"rankalpha_{name}_{step}")
            expected = expected.replace("cron 0 6 * * * UTC", "cron 30 21 * * 1-5 UTC")
            for dataset in DATASETS.values():
                expected = re.sub(rf'(["[]){dataset}(["\]])', rf"\1{name}_{dataset}\2", expected)
            assert own == expected
        assert {uris[f"{name}_{dataset}"] for dataset in ("prices", "grades")} == {
            f"rankalpha://{name}/prices",
            f"rankalpha://{name}/grades",
        }
    assert len(set(uris.values())) == len(uris) == len(STEPS) * MANY


def test_each_dataset_has_one_producer_in_its_own_market(many):
    for one in pipelines():
        for step in one.steps:
            (producer,) = [task for task in many[step.dag_id].tasks if task.outlets]
            assert [asset.name for asset in producer.outlets] == [step.writes]
            inlets = {asset.name for task in many[step.dag_id].tasks for asset in task.inlets}
            assert inlets == set(step.reads)


def test_a_markets_dags_keep_the_policy(many):
    for name in NAMES:
        for step in STEPS:
            dag, default = many[f"rankalpha_{name}_{step}"], many[f"rankalpha_{step}"]
            assert dag.tags == default.tags | {name}
            assert (dag.max_active_runs, dag.catchup) == (1, False)
            assert dag.doc_md.splitlines()[2].startswith(f"**Market `{name}`**, cron 30 21 * * 1-5 UTC.")
            assert dag.deadline[0].interval == default.deadline[0].interval
            for task, other in zip(dag.tasks, default.tasks, strict=True):
                assert (task.retries, task.execution_timeout) == (other.retries, other.execution_timeout)
                assert [type(one) for one in task.on_failure_callback] == [
                    type(one) for one in other.on_failure_callback
                ]


def test_no_two_markets_share_volumes_or_folders(many):
    stages = [task.stage for dag in many.values() for task in dag.tasks if hasattr(task, "stage")]
    volumes = {(volume.name, stage.market.name) for stage in stages for volume in stage.docker.volumes}
    assert len({name for name, _ in volumes}) == len(volumes) == 5 * MANY
    assert len({stage.market.folder for stage in stages}) == MANY


def test_what_a_market_says_reaches_its_tasks(many):
    scorer, other = many["rankalpha_m01_scoring"].tasks[0], many["rankalpha_m02_scoring"].tasks[0]
    assert (scorer.pool, other.pool) == ("stages_m01", "stages")
    assert scorer.stage.market.images == {"scorer": "scorer:2"}
    grading = many["rankalpha_m01_grading"].tasks
    assert {task.call.market.profile for task in grading if hasattr(task, "call")} == {"nyse"}


def test_the_flowchart_of_one_market(many):
    chart = mermaid(graph({dag_id: many[dag_id] for dag_id in pipeline("m05").dag_ids}))
    assert 'm05_clock(["cron 30 21 * * 1-5 UTC, start-up, by hand"]) --> rankalpha_m05_ingestion' in chart
    assert "rankalpha_m05_grading -.-> page" in chart


def test_a_task_parses_the_dag_of_its_own_market_alone(many, root, monkeypatch):
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "rankalpha_m05_scoring")  # as Airflow sets it
    found = dag_bag(root).dags
    assert [dag_id for dag_id in found if dag_id.endswith("_scoring")] == ["rankalpha_m05_scoring"]


def test_parsing_opens_no_connection_and_takes_seconds(root, file):
    begun = os.times().children_user
    done = subprocess.run(
        [sys.executable, "-c", COUNT_REQUESTS, str(root)],
        env={**os.environ, "PYTHONPATH": str(root), "RANKALPHA_MARKETS": str(file)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split()[-3:] == [str(len(STEPS) * MANY + 2), "0", "0"]
    assert os.times().children_user - begun < CPU_SECONDS


def test_a_mistake_in_the_file_shows_as_import_error_of_each_dag_file(root, tmp_path):
    (tmp_path / "markets.toml").write_text("[nyse]\nslots = 0\n[oslo]\ncalendar = 'MOON'\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RANKALPHA_MARKETS", str(tmp_path / "markets.toml"))
        forget()
        bag = dag_bag(root)
    forget()
    assert {Path(name).name for name in bag.import_errors} == {
        *(f"{step}.py" for step in STEPS),
        "comparison.py",
        "training.py",
    }
    for told in ("[nyse] slots = 0: Input should be greater than 0", "[oslo] calendar = 'MOON'"):
        assert all(told in error for error in bag.import_errors.values())
