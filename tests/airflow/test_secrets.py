"""No secret of a stage is in what Airflow keeps of a DAG, wherever the secret was set while it was parsed."""

import json
import os
import shutil
import subprocess
import sys

from rankalpha.pipeline.pipelines import PIPELINE
from rankalpha.pipeline.steps import HOUSEKEEPING
from rankalpha.stages import STAGES

SECRET = "sk-5e1a-not-to-be-kept"
KEPT = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.serialized_objects import DagSerialization

dags = DagBag(sys.argv[1]).dags.values()
fields = [[task.label, {name: str(getattr(task, name)) for name in task.template_fields}]
          for dag in dags for task in dag.tasks]
print(json.dumps([[DagSerialization.to_dict(dag) for dag in dags], fields], default=str))
"""


def test_no_secret_of_a_stage_is_in_a_dag_or_a_rendered_field(root, tmp_path):
    names = [name for stage in STAGES for name in stage.secrets]
    shutil.copytree(root / "env" / "local", tmp_path / "local")
    for stage in STAGES:
        with (tmp_path / "local" / f"{stage.name}.env").open("a") as file:
            file.writelines(f"{name}={SECRET}\n" for name in stage.secrets)
    set_everywhere = {key: SECRET for name in names for key in (name, f"AIRFLOW_VAR_{name}")}
    env = {**os.environ, **set_everywhere, "PYTHONPATH": str(root), "RANKALPHA_ENV_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", KEPT, str(root)], env=env, capture_output=True, text=True, check=True
    )
    (*_, kept) = done.stdout.splitlines()
    dags, fields = json.loads(kept)
    assert len(dags) == len(PIPELINE) + len(HOUSEKEEPING)
    assert len(fields) > len(dags)
    assert names
    assert SECRET not in kept
