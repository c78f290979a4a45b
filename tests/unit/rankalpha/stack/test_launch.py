"""The containers' entry point, run as they run it."""

import subprocess
import sys

import pytest

from rankalpha.settings import settings
from rankalpha.stack.launch import environment


@pytest.fixture
def env_dir(tmp_path, monkeypatch):
    """Profiles `local` and `production`, each with an airflow.env."""
    for name in ("local", "production"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "airflow.env").write_text(f"WHO={name}\nSHARED=profile\n")
    monkeypatch.setenv("RANKALPHA_ENV_DIR", str(tmp_path))
    settings.cache_clear()
    yield tmp_path
    settings.cache_clear()


def launch(env_dir, *command, **env):
    return subprocess.run(
        [sys.executable, "-m", "rankalpha.stack.launch", *command],
        env={"RANKALPHA_ENV_DIR": str(env_dir), "PATH": "/usr/bin:/bin", **env},
        capture_output=True,
        text=True,
    )


def test_the_container_wins_over_the_profile_and_that_over_the_keys(env_dir, monkeypatch):
    keys = env_dir / "keys.env"
    keys.write_text("WHO=keys\nSHARED=keys\nKEY=made\n")
    monkeypatch.setenv("SHARED", "container")
    found = environment(keys)
    assert (found["WHO"], found["SHARED"], found["KEY"]) == ("local", "container", "made")


def test_keys_that_were_made_for_local_serve_no_other_profile(env_dir, monkeypatch):
    keys = env_dir / "keys.env"
    keys.write_text("KEY=made\n")
    monkeypatch.setenv("RANKALPHA_ENV", "production")
    settings.cache_clear()
    assert "KEY" not in environment(keys)


def test_workers_tell_the_end_of_a_task_to_the_queue_unless_told_otherwise(env_dir, monkeypatch):
    monkeypatch.setenv("AIRFLOW__CELERY__BROKER_URL", "redis://:x@redis/0")
    assert environment()["AIRFLOW__CELERY__RESULT_BACKEND"] == "redis://:x@redis/0"
    monkeypatch.setenv("AIRFLOW__CELERY__RESULT_BACKEND", "redis://:x@redis/1")
    assert environment()["AIRFLOW__CELERY__RESULT_BACKEND"] == "redis://:x@redis/1"


def test_it_becomes_the_command(env_dir):
    done = launch(env_dir, "sh", "-c", "echo $WHO; exit 7", RANKALPHA_ENV="production")
    assert (done.stdout, done.returncode) == ("production\n", 7)


def test_programs_of_this_environment_come_first(env_dir):
    done = launch(env_dir, "python", "-c", "import sys; print(sys.prefix)")
    assert done.stdout.strip() == sys.prefix


@pytest.mark.parametrize(
    ("command", "env", "message"),
    [
        ("sh", {"RANKALPHA_ENV": "moon"}, "unknown profile 'moon'"),
        ("airlfow", {}, "there is no program 'airlfow' in this image"),
    ],
)
def test_a_mistake_is_one_line(env_dir, command, env, message):
    done = launch(env_dir, command, **env)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
