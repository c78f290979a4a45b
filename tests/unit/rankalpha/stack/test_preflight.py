"""What a profile must bring, and the secrets that are made where it need not."""

import stat
from urllib.parse import urlsplit

import pytest
from cryptography.fernet import Fernet

from rankalpha.settings import SettingsError, settings
from rankalpha.stack.keys import KEYS
from rankalpha.stack.preflight import (
    ADMIN,
    DATABASE,
    EXECUTOR,
    IDLE_SLEEP,
    NAPS,
    check,
    make_local_keys,
    password_of,
    write_passwords,
)
from rankalpha.stages.env_file import read_env_file

BROKER = "AIRFLOW__CELERY__BROKER_URL"
COMPLETE = {
    DATABASE: "postgresql+psycopg2://airflow:Zr8-own@postgres/airflow",
    "AIRFLOW__CORE__FERNET_KEY": Fernet.generate_key().decode(),
    "AIRFLOW__API__SECRET_KEY": "k" * 64,
    "AIRFLOW__API_AUTH__JWT_SECRET": "j" * 64,
    ADMIN: "Zr8-own",
}
CELERY = {EXECUTOR: "CeleryExecutor"}


@pytest.fixture
def profile(monkeypatch):
    """Choose a profile and settings of the environment."""

    def choose(name="production", **environment):
        for key, value in {"RANKALPHA_ENV": name, **environment}.items():
            monkeypatch.setenv(key, value)
        settings.cache_clear()

    yield choose
    monkeypatch.undo()
    settings.cache_clear()


def refusal(env):
    with pytest.raises(SettingsError) as caught:
        check(env)
    return str(caught.value)


def test_a_complete_profile_may_start(profile):
    profile()
    check(COMPLETE)
    assert refusal({**COMPLETE, **CELERY}).count(" is missing") == 1
    check({**COMPLETE, **CELERY, BROKER: "redis://:Zr8-own@redis:6379/0"})


@pytest.mark.parametrize("name", ["local", "production"])
@pytest.mark.parametrize("zero", ["0", "0.0", ".00"])
def test_a_scheduler_that_would_never_rest_may_not_start(profile, name, zero):
    profile(name)
    idle = {**COMPLETE, BROKER: "redis://:Zr8-own@redis:6379/0", IDLE_SLEEP: zero}
    problem = f"{IDLE_SLEEP}={zero} needs {EXECUTOR}={NAPS}; with"
    assert f"{problem} CeleryExecutor" in refusal({**idle, **CELERY})
    assert f"{problem} LocalExecutor" in refusal(idle)  # Airflow's default
    check({**idle, **CELERY, IDLE_SLEEP: "0.25"})
    check({**idle, EXECUTOR: NAPS})


def test_everything_that_is_missing_is_listed_at_once(profile):
    profile()
    message = refusal({**CELERY})
    assert "fix env/production/airflow.env" in message
    for key in (*COMPLETE, BROKER):
        assert f"{key} is missing" in message


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        (ADMIN, "rankalpha", "is still a default"),
        (ADMIN, "<password>", "is still a default"),
        (DATABASE, "postgresql+psycopg2://airflow:airflow@postgres/airflow", "everybody knows"),
        (DATABASE, "postgresql+psycopg2://airflow:<password>@postgres/airflow", "everybody knows"),
        (DATABASE, "postgresql+psycopg2://airflow@postgres/airflow", "has no password"),
        ("AIRFLOW__CORE__FERNET_KEY", "k" * 44, "is not a Fernet key"),
        ("AIRFLOW__API__SECRET_KEY", "short", "is shorter than 32 characters"),
        ("AIRFLOW__API_AUTH__JWT_SECRET", "", "is missing"),
        ("AIRFLOW_CONN_SMTP_DEFAULT", '{"conn_type": "smtp", "password": "<password>"}', "still holds"),
    ],
)
def test_a_default_or_a_weak_secret_is_refused_and_not_shown(profile, key, value, problem):
    profile()
    message = refusal({**COMPLETE, key: value})
    assert message.splitlines()[1:] == [line for line in message.splitlines() if key in line]
    assert problem in message
    assert all(secret not in message for secret in (COMPLETE[ADMIN], "k" * 44))


def test_the_queue_of_a_celery_stack_needs_a_password(profile):
    profile()
    assert BROKER in refusal({**COMPLETE, **CELERY, BROKER: "redis://redis:6379/0"})


def test_a_secret_may_be_kept_where_airflow_can_find_it(profile):
    profile()
    fernet, *_ = KEYS
    without = {key: value for key, value in COMPLETE.items() if key != fernet}
    assert f"{fernet} is missing" in refusal(without)
    check({**without, f"{fernet}_CMD": "cat /key"})


def test_only_airflow_itself_looks_for_a_secret_elsewhere(profile):
    profile()
    env = {key: value for key, value in COMPLETE.items() if key != ADMIN}
    assert f"{ADMIN} is missing" in refusal({**env, f"{ADMIN}_CMD": "cat /password"})


def test_a_database_behind_a_socket_needs_no_password(profile):
    profile()
    assert "has no password" in refusal({**COMPLETE, DATABASE: "postgresql+psycopg2://postgres:@db/postgres"})
    check({**COMPLETE, DATABASE: "postgresql+psycopg2://postgres:@/postgres?host=/run/pg"})


def test_the_local_profile_needs_nothing_but_stays_on_this_machine(profile):
    profile("local")
    check({})
    profile("local", RANKALPHA_BIND="0.0.0.0")
    assert "RANKALPHA_BIND=0.0.0.0" in refusal({})


def test_a_queue_of_a_stage_that_does_not_exist_is_named(profile):
    profile("local", RANKALPHA_QUEUES="sentiment=large,scroer=small")
    assert "RANKALPHA_QUEUES names scroer, which is not a stage" in refusal({})


def test_local_keys_are_made_once_for_their_owner_only(tmp_path):
    made = tmp_path / "keys.env"
    make_local_keys(made)
    first = read_env_file(made)
    assert first.keys() == {*KEYS, DATABASE, BROKER}
    Fernet(first["AIRFLOW__CORE__FERNET_KEY"])
    assert len(set(first.values())) == len(first)
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    make_local_keys(made)
    assert read_env_file(made) == first
    make_local_keys(tmp_path / "other.env")
    assert not set(read_env_file(tmp_path / "other.env").values()) & set(first.values())


def test_the_servers_get_the_passwords_of_the_addresses(tmp_path):
    env = {
        DATABASE: "postgresql+psycopg2://airflow:a%40b@postgres/airflow",
        BROKER: "redis://:quo%22te%5C@redis:6379/0",
    }
    write_passwords(env, tmp_path)
    assert (tmp_path / "postgres").read_text() == "a@b"
    assert (tmp_path / "redis.conf").read_text() == 'requirepass "quo\\"te\\\\"\n'
    assert sorted(path.name for path in tmp_path.iterdir()) == ["postgres", "redis.conf"]


def test_a_server_that_nobody_uses_has_a_password_that_nobody_knows(tmp_path):
    write_passwords({}, tmp_path)
    first = (tmp_path / "postgres").read_text()
    assert len(first) > 30
    write_passwords({}, tmp_path)
    assert (tmp_path / "postgres").read_text() != first


def test_a_made_password_needs_no_quoting_in_a_url(tmp_path):
    make_local_keys(tmp_path / "keys.env")
    url = read_env_file(tmp_path / "keys.env")[DATABASE]
    assert urlsplit(url).hostname == "postgres"
    assert f":{password_of(url)}@" in url


def test_a_markets_profile_that_is_not_there_is_named(profile, tmp_path):
    (tmp_path / "env" / "nyse").mkdir(parents=True)
    file = tmp_path / "markets.toml"
    file.write_text("[default]\n[nyse]\nprofile = 'nyse'\n[lse]\nprofile = 'lse'\n")
    profile("local", RANKALPHA_MARKETS=str(file), RANKALPHA_ENV_DIR=str(tmp_path / "env"))
    (line,) = refusal({}).splitlines()[1:]
    assert line == (
        f"  {file}: [lse] profile = 'lse' is not a folder of {tmp_path / 'env'}, which has nyse; "
        "make it, or fix the key"
    )


def test_a_calendar_that_does_not_exist_is_named(profile, tmp_path):
    file = tmp_path / "markets.toml"
    file.write_text("[lse]\ncalendar = 'XLONN'\n")
    profile("local", RANKALPHA_MARKETS=str(file))
    assert f"fix {file}:\n  [lse] calendar = 'XLONN': is not an exchange; expected XLON" in refusal({})
