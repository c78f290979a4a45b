"""A version is used again while the image of its stage is the same on the engine, whatever its name is."""

import io
import tarfile
from dataclasses import replace
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import ErrorType
from airflow.sdk.execution_time import task_runner
from airflow.sdk.execution_time.comms import ErrorResponse, GetVariableKeys, VariableKeysResult
from cryptography.fernet import Fernet

from datasets import PRICES, SCORES, SCORES_CONTRACT
from rankalpha.pipeline.market import Market
from rankalpha.stages.docker import DockerOptions, Volume
from rankalpha.stages.scorer import SCORER
from tests.support.checkout import ROOT
from tests.support.engine import labels
from tests.support.needs import IMAGE
from tests.unit.rankalpha.support import together
from tests.unit.rankalpha.support.reuse_world import ingest, run

pytestmark = [
    pytest.mark.usefixtures("way"),
    pytest.mark.parametrize("way", ["socket"], indirect=True),
]
DAYS = [f"2025-11-{day}T06:00:00" for day in (20, 21, 22, 23)]
STAGE = ROOT / "tests" / "support" / "version_stage.py"


@pytest.fixture
def build(engine, session):
    """Builds the image of the stage; images of another number differ, and have the same name."""
    name = f"{session}-versions:1"

    def make(number):
        lines = [f"FROM {IMAGE}", "COPY version_stage.py /", f"ENV NUMBER={number}"]
        lines += [f'LABEL {key}="{value}"' for key, value in labels().items()]
        context = io.BytesIO()
        with tarfile.open(fileobj=context, mode="w") as archive:
            archive.add(STAGE, "version_stage.py")
            text = "\n".join(lines).encode()
            info = tarfile.TarInfo("Dockerfile")
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text))
        context.seek(0)
        said = list(engine.build(fileobj=context, custom_context=True, tag=name, rm=True, decode=True))
        assert "error" not in said[-1], said
        return engine.inspect_image(name)["Id"]

    make.name = name
    made = make(1)
    yield make
    engine.remove_image(name, force=True)
    for image in {made} & {each["Id"] for each in engine.images()}:  # it has lost its name
        engine.remove_image(image, force=True)


@pytest.fixture
def airflow(engine, session, build, demo, tmp_path, monkeypatch):
    """The tasks of a market of this test's own, whose scorer runs in that image."""
    profile = tmp_path / "env" / "local"
    profile.mkdir(parents=True)
    command = "python /version_stage.py scorer"
    (profile / "scorer.env").write_text(f"SCORER_IMAGE={build.name}\nSCORER_COMMAND={command}\n")
    (profile / "api.env").touch()
    nobody = {"RANKALPHA_API_URL": "http://127.0.0.1:9"}  # compares no version with the disk
    fixed = {"RANKALPHA_DEFER": "false", "AIRFLOW__CORE__FERNET_KEY": Fernet.generate_key().decode()}
    for key, value in {"RANKALPHA_ENV_DIR": str(profile.parent), **nobody, **fixed}.items():
        monkeypatch.setenv(key, value)
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", SimpleNamespace(send=no_variable), raising=False)
    market = Market(name=f"t{session.rpartition('-')[2]}")
    # its root can be written to, because the stage keeps a journal there
    volumes = (Volume("prices_data", "/data/prices"),)
    options = DockerOptions(network=session, volumes=volumes, read_only=False)
    monkeypatch.setitem(
        together.MADE, "scores", (replace(SCORER, docker=options), (PRICES,), SCORES, SCORES_CONTRACT)
    )
    made = together.Together(monkeypatch, market)
    made.data = tmp_path / "data"
    volume = market.volume("prices_data")
    engine.create_volume(volume, labels=labels())
    yield made
    for container in engine.containers(all=True, filters={"volume": volume}):
        engine.remove_container(container["Id"], force=True, v=True)
    engine.remove_volume(volume)


def no_variable(message):
    """Airflow has no Variables."""
    if isinstance(message, GetVariableKeys):
        return VariableKeysResult(keys=[], total_entries=0)
    return ErrorResponse(error=ErrorType.VARIABLE_NOT_FOUND)


@pytest.fixture
def scored(engine, airflow):
    """Publishes the same prices for a batch, runs its scorer and returns what it has published."""

    def score(key):
        ingest(airflow, key, "the same", "2025-11-19")
        fill(engine, airflow.market.volume("prices_data"), airflow.data / "prices" / key)
        published = run(airflow, key)
        assert isinstance(published, dict), airflow.error
        return published

    return score


def fill(engine, volume, folder):
    """Copy a folder into a volume, by a container that is never started."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as writing:
        writing.add(folder, folder.name)
    mounts = engine.create_host_config(binds={volume: {"bind": "/prices", "mode": "rw"}})
    helper = engine.create_container(IMAGE, "true", volumes=["/prices"], host_config=mounts, labels=labels())[
        "Id"
    ]
    assert engine.put_archive(helper, "/prices", archive.getvalue())
    engine.remove_container(helper)


def test_the_image_counts_by_its_digest_and_not_by_its_tag(build, scored):
    first, second = map(scored, DAYS[:2])
    assert "container" in first
    assert (second["reused_from"], "container" in second) == (DAYS[0], False)
    build(2)
    third, fourth = map(scored, DAYS[2:])
    assert "reused_from" not in third
    assert third["made_by"] != first["made_by"]
    assert "container" in third
    assert (fourth["reused_from"], "container" in fourth) == (DAYS[2], False)
