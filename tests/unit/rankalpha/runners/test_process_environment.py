"""What a stage that runs as a process can see of this machine."""

import json
import os
import sys
from pathlib import Path

import pytest

from rankalpha.runners.process import ProcessRunner
from tests.unit.rankalpha.support.demo_stage import KEY
from tests.unit.rankalpha.support.process_helpers import NAME, printed, run, start


@pytest.fixture(autouse=True)
def folder(app_dir) -> Path:
    return app_dir


def test_the_environment_is_that_of_the_image_and_the_stage(folder, monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "s3cret")
    monkeypatch.setenv("OPENAI_API_KEY", "s3cret")
    monkeypatch.setenv("RANKALPHA_DATA_DIR", "/somewhere/data")
    monkeypatch.setenv("RANKALPHA_STACK", "/somewhere/.rankalpha")
    dump = "import json, os\njson.dump(dict(os.environ), open(os.environ['RANKALPHA_RESULT'], 'w'))"
    keys = ("RANKALPHA_DATA_DIR", "DEMO_DATA_DIR")
    container = run(folder, dump, env={"DEPTH": "3"}, data_dir_keys=keys)
    seen = json.loads(ProcessRunner().result(container.id, "demo"))
    own = {"RANKALPHA_BATCH": KEY, "DEPTH": "3", "RANKALPHA_STACK": "/somewhere/.rankalpha"}
    own |= dict.fromkeys(keys, "/somewhere/data")
    assert {key: seen[key] for key in own} == own
    assert seen["PYTHONPATH"] == str(folder)
    assert Path(seen["HOME"]) == Path(seen["RANKALPHA_RESULT"]).parent
    assert Path(seen["PATH"].split(":")[0]) == Path(sys.executable).parent
    image = {"PATH", "HOME", "LANG", "PYTHONPATH", "PYTHONUNBUFFERED", "RANKALPHA_RESULT"}
    rest = seen.keys() - own.keys() - image - {key for key in seen if key.startswith("UV_")}
    assert rest <= {"LC_CTYPE"}  # set by Python itself
    assert "s3cret" not in json.dumps(seen)
    assert ProcessRunner().environment(container.id).items() <= seen.items()


def test_secrets_are_the_owners_only(folder, tmp_path):
    start(folder, "", env={"OPENAI_API_KEY": "sk-hunter2"})
    path = tmp_path / "processes" / NAME
    assert path.stat().st_mode & 0o777 == 0o700
    assert [file.name for file in path.iterdir() if "sk-hunter2" in file.read_text()] == ["container.json"]


def test_a_stage_cannot_read_the_terminal(folder):
    read, write = os.pipe()
    os.write(write, b"typed")
    os.close(write)
    saved = os.dup(0)
    os.dup2(read, 0)
    try:
        assert run(folder, "import sys; assert sys.stdin.read() == ''").status == 0
    finally:
        os.dup2(saved, 0)
        os.close(saved)
        os.close(read)


def test_uv_run_uses_this_environment_and_no_network(folder, monkeypatch):
    """As the sentiment stage is started, with a project around it that cannot be installed."""
    monkeypatch.setenv("UV_INDEX_URL", "http://127.0.0.1:9")
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "demo"\nversion = "1"\nrequires-python = ">=3.11"\n'
        'dependencies = ["no-such-package-of-rankalpha"]\n'
    )
    sentiment = folder / "apps" / "sentiment"
    sentiment.mkdir(parents=True)
    code = "import os, sys, pydantic\nprint(sys.prefix, os.getcwd())"
    container = run(sentiment, code, command="uv run main.py", working_dir="/app/apps/sentiment")
    assert printed(container) == [f"{sys.prefix} {sentiment}"]
    made = {path.name for path in folder.rglob("*")} - {"__pycache__"}
    assert made == {"pyproject.toml", "apps", "sentiment", "main.py"}  # no .venv, no uv.lock
    assert os.environ["UV_INDEX_URL"]  # was there, and was not handed on
