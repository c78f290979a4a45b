"""The images alone, without a stack: what is in them, and that those of the stages keep the contract."""

import io
import json
import tarfile
from pathlib import Path

import pytest
from docker.errors import NotFound
from docker.types import Mount

from rankalpha.runners.file_system import RESULT_PATH, RESULT_VOLUME, result_folder, tmpfs
from tests.support.engine import labels

BATCH = "2026-11-22T06:00:00"
INGESTION = {
    "image": "rankalpha_ingestion",
    "command": "python apps/ingestion/main.py",
    "working_dir": "/app",
}
SCORER = {"image": "rankalpha_scorer", "command": "python apps/scorer/main.py", "working_dir": "/app"}
SENTIMENT = {
    "image": "rankalpha_sentiment",
    "command": "uv run main.py",
    "working_dir": "/app/apps/sentiment",
}


@pytest.fixture(scope="module")
def volumes(engine, images, session):
    """Volumes of these tests' own at the places of the stages' data, empty at first."""
    names = {
        f"{session}-{place}": f"/data/{place}" for place in ("prices", "company_reports", "analysis_schedule")
    }
    for name in names:
        engine.create_volume(name, labels=labels())
    yield [f"{name}:{target}" for name, target in names.items()]
    for name in names:
        engine.remove_volume(name)


def run(engine, volumes, stage, **env):
    """Run a stage's container as the contract says, without any network; exit status, output and result."""
    walls = {"cap_drop": ["ALL"], "security_opt": ["no-new-privileges"], "read_only": True}
    own = {"tmpfs": tmpfs(2**28), "mounts": [Mount(target=RESULT_VOLUME, source=None)]}
    host = engine.create_host_config(binds=volumes, network_mode="none", **walls, **own)
    env = {"RANKALPHA_BATCH": BATCH, "RANKALPHA_DATE": BATCH[:10], "RANKALPHA_RESULT": RESULT_PATH, **env}
    container = engine.create_container(**stage, environment=env, host_config=host, labels=labels())
    try:
        engine.put_archive(container, RESULT_VOLUME, result_folder())
        engine.start(container)
        status = engine.wait(container)["StatusCode"]
        return status, engine.logs(container).decode(), result(engine, container)
    finally:
        engine.remove_container(container, v=True)


def result(engine, container):
    try:
        chunks, _ = engine.get_archive(container, RESULT_PATH)
    except NotFound:
        return None
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
        return json.load(archive.extractfile(archive.getmembers()[0]))


def shell(local, image, script):
    """What a script prints in an image."""
    return local.run("docker", "run", "--rm", "--entrypoint=sh", image, "-c", script).stdout.split()


@pytest.mark.parametrize(
    ("stage", "env", "status", "message"),
    [
        (INGESTION, {"INGESTION_SOURCE": "moon"}, 78, "INGESTION_SOURCE"),
        (SCORER, {"SCORER_STALE_DAYS": "many"}, 78, "SCORER_STALE_DAYS='many'"),
        (SCORER, {"RANKALPHA_BATCH": "today"}, 78, "RANKALPHA_BATCH='today'"),
        (SCORER, {}, 65, "prices.parquet"),
        (SENTIMENT, {"SENTIMENT_CONSENSUS_LIMIT": "0"}, 78, "SENTIMENT_CONSENSUS_LIMIT"),
        (SENTIMENT, {}, 65, "prices"),
    ],
)
def test_what_cannot_heal_is_told_by_the_exit_status(engine, volumes, stage, env, status, message):
    exited, output, written = run(engine, volumes, stage, **env)
    assert (exited, written) == (status, None), output
    assert message in output


def test_a_stage_reports_its_batch_where_it_is_told_to(engine, volumes):
    for stage in (INGESTION, SCORER, SENTIMENT):
        exited, output, written = run(engine, volumes, stage)
        assert exited == 0, output
        assert (written["batch"], written["as_of"]) == (BATCH, "2026-11-20")
        assert written["rows"] > 0


# scikit-learn and what it needs are 200 MB of the services' image
@pytest.mark.parametrize(("image", "megabytes"), [("rankalpha_airflow", 400), ("rankalpha_api", 700)])
def test_an_image_adds_little_to_python_and_has_no_compiler(local, engine, images, image, megabytes):
    size, base = (engine.inspect_image(name)["Size"] for name in (image, "python:3.13-slim-trixie"))
    assert size - base < megabytes * 1e6
    names = "python cc gcc g++ clang make"
    found = shell(local, image, f"for name in {names}; do command -v $name; done; true")
    assert found == ["/opt/venv/bin/python"]


@pytest.mark.parametrize(
    ("image", "folders"),
    [
        ("rankalpha_airflow", "/opt/rankalpha/dags /opt/rankalpha/datasets"),
        ("rankalpha_scorer", "/app/apps"),
    ],
)
def test_no_container_compiles_the_code_that_it_starts(local, images, image, folders):
    """Each module has its byte code beside it: a stage's start would compile all of its modules."""
    modules = {Path(file) for file in shell(local, image, f"find {folders} -name '*.py'")}
    caches = map(Path, shell(local, image, f"find {folders} -name '*.pyc'"))
    compiled = {cache.parents[1] / f"{cache.name.split('.')[0]}.py" for cache in caches}
    assert modules
    assert modules <= compiled


def test_the_airflow_image_holds_no_profile_of_a_deployment(local):
    profile = local.checkout / "env/deployment"
    profile.mkdir()
    local.output("build", "airflow-preflight")
    assert shell(local, "rankalpha_airflow", "ls /opt/rankalpha/env") == ["example", "local"]
    profile.rmdir()


def test_a_library_that_hides_our_datasets_fails_the_build(local, images):
    """Our own wheel is made to bring one, because a library's would need a download."""
    project = local.checkout / "pyproject.toml"
    before = project.read_text()
    hiding = (
        '[tool.hatch.build.targets.wheel.force-include]\n"rankalpha/__init__.py" = "datasets/__init__.py"\n'
    )
    project.write_text(f"{before}\n{hiding}")
    done = local.run("docker", "build", "--progress=plain", ".")
    project.write_text(before)
    assert done.returncode != 0
    assert "an installed package shadows ['datasets']" in done.stdout
