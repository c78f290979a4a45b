"""A stage whose image was built again under the same name runs again, on a real engine."""

import json
import shlex
from dataclasses import replace

import pytest
from cryptography.fernet import Fernet

from rankalpha.settings import settings
from rankalpha.stages import STAGES
from rankalpha.stages.scorer import SCORER
from tests.support.engine import labels
from tests.support.http_server import local_server
from tests.unit.rankalpha.support.reuse_world import ingest, run
from tests.unit.rankalpha.support.together import MADE, Together

pytestmark = pytest.mark.parametrize("way", ["socket"], indirect=True)
FRIDAY, SATURDAY, SUNDAY = (f"2025-11-{day}T06:00:00" for day in (21, 22, 23))
SCORE = """
import json, os, pathlib
from hashlib import sha256
sealed = lambda file: sha256(file.read_bytes()).hexdigest()
output = pathlib.Path(os.environ["RANKALPHA_OUTPUT"])
output.mkdir(parents=True)
data, manifest = output / "data", output / "manifest.json"
data.write_text("scores")
files = {"data": {"size": 6, "sha256": sealed(data)}}
about = {"stage": "scorer", "batch": os.environ["RANKALPHA_BATCH"], "version": output.name}
manifest.write_text(json.dumps({**about, "files": files, "inputs": {}}))
version = {"path": str(output.relative_to("/data")), "sha256": sealed(manifest), "files": files, "inputs": {}}
result = {"rows": 1, "symbols": 1, "as_of": "2025-11-21", "version": version}
pathlib.Path(os.environ["RANKALPHA_RESULT"]).write_text(json.dumps(result))
"""
MAKE = "import os, sys; [os.makedirs(f'/data/prices/{key}/ingestion-1-1') for key in sys.argv[1:]]"


@pytest.fixture
def build(engine, jobs, session):
    """Builds the scorer's image, another one each time; returns its digest."""
    made = []
    ((key, value),) = labels().items()

    def built():
        source = jobs.ended(jobs.run("true"), group=5)
        change = f'LABEL {key}="{value}" build="{len(made)}"'
        made.append(engine.commit(source.id, repository=f"{session}-scorer", changes=change)["Id"])
        return made[-1]

    yield built
    for image in made:
        for container in engine.containers(all=True, filters={"ancestor": image}):
            engine.remove_container(container["Id"], force=True, v=True)
        engine.remove_image(image, force=True)


@pytest.fixture
def service():
    """An API that knows of no versions, so that nothing is compared with the disk."""
    with local_server(lambda _request: (404, {"detail": "Not Found"})) as (url, _):
        yield url


@pytest.fixture
def airflow(way, swept, jobs, demo, session, service, tmp_path, monkeypatch):
    """The scoring of three batches, whose prices are there."""
    profile = tmp_path / "env" / "local"
    profile.mkdir(parents=True)
    for name in STAGES:
        (profile / f"{name.name}.env").touch()
    command = shlex.join(["python", "-c", SCORE])
    (profile / "scorer.env").write_text(
        f"SCORER_IMAGE={session}-scorer\nSCORER_COMMAND={json.dumps(command)}\n"
    )
    (profile / "api.env").write_text(f"API_URL={service}\n")
    monkeypatch.setenv("RANKALPHA_ENV_DIR", str(profile.parent))
    monkeypatch.setenv("RANKALPHA_DEFER", "false")
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", Fernet.generate_key().decode())
    settings.cache_clear()
    scorer = replace(SCORER, docker=demo.docker)
    monkeypatch.setitem(MADE, "scores", (scorer, *MADE["scores"][1:]))
    keys = (FRIDAY, SATURDAY, SUNDAY)
    write = shlex.join(["python", "-c", MAKE, *keys])
    assert jobs.ended(jobs.run(write, jobs.identity(group=1)), group=1).status == 0
    made = Together(monkeypatch)
    made.data = tmp_path / "data"
    for key in keys:
        ingest(made, key, "the same prices", "2025-11-21")
    yield made
    remove = "sh -c 'rm -r /data/prices/*'"  # the volume is that of all tests
    assert jobs.ended(jobs.run(remove, jobs.identity(group=9)), group=9).status == 0


def test_a_stage_runs_again_once_its_image_was_built_again_under_the_same_name(airflow, build):
    image = build()
    first, second = run(airflow, FRIDAY), run(airflow, SATURDAY)
    assert first["container"]["digest"] == image
    assert (second["reused_from"], second.get("container")) == (FRIDAY, None)
    rebuilt = build()
    third = run(airflow, SUNDAY)
    assert image != rebuilt == third["container"]["digest"]
    assert "reused_from" not in third
