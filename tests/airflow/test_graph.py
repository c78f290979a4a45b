"""The dataset graph equals its snapshot, and the README shows it, so that a change of it shows in review.

After an intended change: UPDATE_SNAPSHOT=1 make validate
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rankalpha.commands.lineage import show_graph
from rankalpha.commands.refusals import Refused
from rankalpha.lineage.graph import graph, inputs, text
from rankalpha.lineage.mermaid import block, mermaid
from rankalpha.pipeline.pipelines import STEPS

SNAPSHOT = Path(__file__).with_name("graph.txt")
IN_README = re.compile(r"(?<=<!-- graph -->\n).*?(?=<!-- /graph -->)", re.DOTALL)


@pytest.fixture
def found(dags):
    return graph(dags)


def test_the_graph_is_as_in_the_snapshot(found):
    if os.environ.get("UPDATE_SNAPSHOT"):
        SNAPSHOT.write_text(text(found))
    assert text(found) == SNAPSHOT.read_text()


def test_the_readme_shows_the_graph(found, root):
    readme = root / "README.md"
    if os.environ.get("UPDATE_SNAPSHOT"):
        readme.write_text(IN_README.sub(lambda _: block(found), readme.read_text()))
    assert IN_README.findall(readme.read_text()) == [block(found)]


def test_the_flowchart_holds_each_dag_and_dataset_of_the_pipeline(found):
    chart = mermaid(found)
    for step in STEPS:
        reads = " & ".join(step.reads) if step.reads else 'by hand"])'
        assert re.search(rf"{re.escape(reads)} (-- .* )?--> {step.dag_id} --> {step.writes}\[\(", chart)
    assert "rankalpha_watchdog" not in chart


def test_a_dag_that_joins_nothing_and_an_odd_schedule_are_drawn():
    dag = {"dag_id": "a", "schedule": "cron 0 6 * * 1 UTC", "reads": [], "writes": ["x", "y"]}
    datasets = [{"name": name, "written_by": ["a"]} for name in ("x", "y")]
    chart = mermaid({"dags": [dag], "datasets": datasets})
    assert 'clock(["cron 0 6 * * 1 UTC, start-up, by hand"]) --> a --> x[(x)] & y[(y)]' in chart


def test_the_join_needs_both_halves(dags):
    grading = dags["rankalpha_grading"]
    assert type(grading.timetable.asset_condition).__name__ == "AssetAll"
    assert {"scores", "sentiment"} <= set(inputs(grading))


def test_the_pipeline_as_seen_from_outside_is_that_of_the_dags(found):
    dags = {dag["dag_id"]: dag for dag in found["dags"]}
    datasets = {one["name"]: one for one in found["datasets"]}
    for step in STEPS:
        assert (sorted(step.reads), [step.writes]) == (
            dags[step.dag_id]["reads"],
            dags[step.dag_id]["writes"],
        )
        assert datasets[step.writes]["written_by"] == [step.dag_id]
        assert all(step.dag_id in datasets[name]["read_by"] for name in step.reads)


@pytest.mark.parametrize("kind", ["text", "mermaid", "json"])
def test_the_command_prints_it(found, monkeypatch, capsys, root, kind):
    monkeypatch.setenv("AIRFLOW__CORE__DAGS_FOLDER", str(root))
    expected = {"text": text(found), "mermaid": mermaid(found), "json": json.dumps(found, indent=2) + "\n"}
    assert show_graph(kind, None) == 0
    assert capsys.readouterr().out == expected[kind]


def test_the_command_prints_the_graph_and_nothing_else_while_the_stack_is_down(found, tmp_path):
    """Also where PYTHONPATH leads to a library of the same name as the project's `datasets`."""
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "__init__.py").touch()
    command = [Path(sys.executable).with_name("rankalpha"), "lineage"]
    env = {key: value for key, value in os.environ.items() if not key.startswith(("AIRFLOW", "RANKALPHA"))}
    env["PYTHONPATH"] = str(tmp_path)
    done = subprocess.run(command, env=env, cwd="/", capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, text(found)), done.stderr


def test_a_dag_file_that_is_broken_is_named(monkeypatch, capsys, tmp_path):
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "odd.py").write_text("from airflow.sdk import DAG\nDAG(dag_id=)\n")
    monkeypatch.setenv("AIRFLOW__CORE__DAGS_FOLDER", str(tmp_path))
    with pytest.raises(Refused, match="fix these files") as refused:
        show_graph("text", None)
    assert capsys.readouterr().out == ""
    assert "odd.py" in str(refused.value)
