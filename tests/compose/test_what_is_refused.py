"""What does not start, and what is said then: unfit profiles, a taken port, a machine without an engine."""

import shutil
import socket

import pytest

from rankalpha.stack.keys import KEYS_FILE

CAT_KEYS = ("run", "--rm", "--no-deps", "--entrypoint=sh", "airflow-preflight", "-c")


pytestmark = pytest.mark.usefixtures("nothing_there")


@pytest.fixture(scope="module")
def nothing_there(local):
    """No stack, which would be in the way; last of the modules, so that those of others start once."""
    local.down()


@pytest.fixture
def clean(local):
    """What a test leaves of a stack is removed."""
    yield
    local.down()


@pytest.fixture
def with_env(local, monkeypatch):
    """Sets variables of the stack's environment for one test."""
    return lambda key, value: monkeypatch.setitem(local.env, key, value)


@pytest.fixture
def staging(local, with_env):
    """A profile that was copied of the example and not filled in."""
    folder = local.checkout / "env/staging"
    shutil.copytree(local.checkout / "env/example", folder)
    with_env("RANKALPHA_ENV", "staging")
    yield folder
    shutil.rmtree(folder)


def refused(local):
    """Return what the step says that refuses to start the stack."""
    done = local.compose("run", "--rm", "airflow-preflight")
    assert done.returncode != 0
    return done.stdout


@pytest.mark.usefixtures("clean")
def test_nothing_of_a_stack_starts_that_is_refused(local, engine, with_env):
    with_env("RANKALPHA_ENV", "moon")
    done = local.compose("up", "--detach", "--wait")
    assert done.returncode != 0
    states = {state["Name"]: state["State"]["Status"] for state in map(engine.inspect_container, local.ids())}
    assert states.pop("/rankalpha-airflow-preflight-1") == "exited"
    assert set(states.values()) == {"created"}, states
    assert "unknown profile 'moon': /opt/rankalpha/env has ['example', 'local']" in local.logs(
        "airflow-preflight"
    )


def test_an_incomplete_profile_is_refused_with_a_list_of_all_that_is_missing(local, staging):
    airflow = staging / "airflow.env"
    airflow.write_text(
        airflow.read_text() + "RANKALPHA_ADMIN_PASSWORD=rankalpha\nAIRFLOW__API__SECRET_KEY=short\n"
    )
    said = refused(local).splitlines()
    (first,) = [number for number, line in enumerate(said) if "fix env/staging/airflow.env" in line]
    assert [line.strip() for line in said[first + 1 :]] == [
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN is missing",
        "AIRFLOW__CORE__FERNET_KEY is missing",
        "AIRFLOW__API__SECRET_KEY is shorter than 32 characters",
        "AIRFLOW__API_AUTH__JWT_SECRET is missing",
        "RANKALPHA_ADMIN_PASSWORD is still a default",
    ]


def test_a_profile_that_the_container_may_not_read_is_refused_and_named(local, staging):
    (staging / "airflow.env").chmod(0)
    assert "env/staging/airflow.env cannot be read by user 1000" in refused(local)


def test_the_profile_with_the_known_password_is_not_opened_to_other_machines(local, with_env):
    with_env("RANKALPHA_BIND", "0.0.0.0")
    assert "RANKALPHA_BIND=0.0.0.0: everybody knows the password" in refused(local)


@pytest.mark.usefixtures("clean")
def test_a_port_that_is_taken_is_named(local, with_env):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with_env("RANKALPHA_FRONTEND_PORT", port)
        done = local.compose("up", "--detach", "--no-deps", "frontend")
    assert done.returncode != 0
    assert f"127.0.0.1:{port}" in done.stdout
    assert "in use" in done.stdout


def test_without_a_docker_engine_compose_says_so(local, with_env, tmp_path):
    with_env("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    done = local.compose("up", "--detach")
    assert done.returncode != 0
    assert "Cannot connect to the Docker daemon" in done.stdout
    assert f"{tmp_path}/no.sock" in done.stdout


@pytest.mark.usefixtures("clean")
def test_the_keys_of_local_are_made_once_and_for_each_stack_anew(local):
    def keys():
        local.output("run", "--rm", "airflow-preflight")
        return local.output(*CAT_KEYS, f"stat -c %a {KEYS_FILE}; cat {KEYS_FILE}")

    first = keys()
    mode, _, made = first.partition("\n")
    assert mode == "600"
    assert len(made.splitlines()) == 5
    assert keys() == first
    local.down()
    other = keys().splitlines()
    assert not set(other[1:]) & set(made.splitlines())
