"""A stage is added by the files and the line that the guide names, and by nothing else.

The files are in `fifth_stage`; a copy of the project gets them, and no other change.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FILES = Path(__file__).with_name("fifth_stage")
STEPS = "rankalpha/pipeline/steps.py"
GUIDE = "docs/guides/add-a-stage.md"
NOT_COPIED = shutil.ignore_patterns(".*", "node_modules", "results", "images", "reports")
LOOK = """
import json, sys
from pathlib import Path
import rankalpha
from rankalpha.health.records import Records, batch_of
from rankalpha.lineage.openlineage.configuration import POLICY
from rankalpha.pipeline.markets import markets, read
from rankalpha.pipeline.pipelines import DEFAULT_PIPELINE, following
from rankalpha.settings import SettingsError
from rankalpha.stack.docker_proxy.allowed import Allowed
from rankalpha.stages import STAGES

file = Path("markets.toml")
def refused(text):
    file.write_text(text)
    try:
        return [market.name for market in read(file)]
    except SettingsError as error:
        return str(error)

allowed = Allowed.by(stage.of(market) for market in markets() for stage in STAGES)
print(json.dumps({
    "project": rankalpha.__file__,
    "stages": [stage.name for stage in STAGES],
    "mounts": sorted(allowed.mounts),
    "health": list(batch_of(DEFAULT_PIPELINE, "2026-11-22T06:00:00", Records({}, {}), ()).steps),
    "following": following("rankalpha_ingestion"),
    "image": refused('[nyse]\\nimages = {risk = "risk:2"}'),
    "folder": refused("[risk]"),
}))
"""


def line_of_steps(root: Path) -> str:
    """Return the line that the guide adds to the steps."""
    (line,) = re.findall(r'^ *(Shape\("risk".*\),)$', (root / GUIDE).read_text(), re.MULTILINE)
    return line


def run(project: Path, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(project), "RANKALPHA_ENV_DIR": str(project / "env"), **more}
    return subprocess.run(
        [sys.executable, *command], cwd=project, env=env, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def project(root, tmp_path_factory) -> Path:
    """A copy of the project, to which a stage was added as the guide says."""
    copy = tmp_path_factory.mktemp("fifth") / "project"
    shutil.copytree(root, copy, ignore=NOT_COPIED)
    shutil.copy(root / ".airflowignore", copy)
    shutil.copytree(FILES, copy, dirs_exist_ok=True)
    steps = copy / STEPS
    text = steps.read_text()
    grading = '    Shape(\n        "grading"'
    assert text.count(grading) == 1
    steps.write_text(text.replace(grading, f"    {line_of_steps(root)}\n{grading}"))
    return copy


def test_the_guide_names_each_file_and_no_other(root):
    text = (root / GUIDE).read_text()
    named = {
        path for path in re.findall(r"`((?:rankalpha|env|datasets|dags)/[\w/.]+)`", text) if "risk" in path
    }
    assert named == {
        str(path.relative_to(FILES)) for path in FILES.rglob("*.*") if path.suffix in (".py", ".env")
    }


def test_the_dag_set_has_it_and_keeps_its_policy(project):
    done = run(
        project,
        "-m",
        "pytest",
        "-q",
        "tests/airflow/test_dags.py",
        "tests/airflow/test_graph.py",
        "--deselect",  # the command that is installed reads the checkout that it was installed from
        "tests/airflow/test_graph.py::test_the_command_prints_the_graph_and_nothing_else_while_the_stack_is_down",
        UPDATE_SNAPSHOT="1",
    )
    assert done.returncode == 0, done.stdout
    graph = (project / "tests" / "airflow" / "graph.txt").read_text()
    assert "prices → rankalpha_risk → risks  (PartitionedAssetTimetable)\n    run_risk " in graph
    assert re.search(r"run_risk → publish_risks +PublishOperator +writes risks\n", graph)
    assert "prices --> rankalpha_risk --> risks[(risks)]" in (project / "README.md").read_text()


def test_proxy_health_and_markets_know_it(project):
    done = run(project, "-c", LOOK)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert Path(seen["project"]).is_relative_to(project)
    assert seen["stages"] == ["ingestion", "scorer", "sentiment", "risk", "evaluation"]
    assert "risk_data:/data/risk" in seen["mounts"]
    main = ["ingestion", "scoring", "sentiment", "risk", "grading"]
    assert seen["health"] == [*main, "evaluation", "frontend"]
    assert "rankalpha_risk" in seen["following"]
    assert seen["image"] == ["nyse"]
    assert "already a tag of DAGs or a folder of data" in seen["folder"]


def test_a_folder_that_no_step_has_is_named(project):
    steps = (project / STEPS).read_text()
    (project / STEPS).write_text(steps.replace(', folders=("risk",)', ""))
    try:
        done = run(project, "-c", "import rankalpha.stages")
    finally:
        (project / STEPS).write_text(steps)
    assert "stage risk: no step has the folder of its volume /data/risk" in done.stderr


def test_a_folder_of_versions_that_no_step_has_is_named(project):
    file = project / "rankalpha" / "stages" / "risk.py"
    declared = file.read_text()
    file.write_text(declared.replace('name="risk",', 'name="risk", output="elsewhere",', 1))
    try:
        done = run(project, "-c", "import rankalpha.stages")
    finally:
        file.write_text(declared)
    assert "stage risk: output='elsewhere' is not one of the folders prices, company_reports" in done.stderr
