"""The first step of every stack: refuse what must not be run with, and make what the servers share.

The profile `local` works with secrets that are made here; every other one must bring its own.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from cryptography.fernet import Fernet

from rankalpha.pipeline.markets import markets
from rankalpha.pipeline.steps import STAGE_NAMES
from rankalpha.settings import DeploymentSettings, SettingsError, settings
from rankalpha.stack.keys import FERNET, KEYS, KEYS_FILE, PASSWORDS, make_keys, make_password, write_secret
from rankalpha.stack.launch import BROKER, environment
from rankalpha.stack.upgrade import old_names
from rankalpha.stages.profile import profile_folder

DATABASE = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
ADMIN = "RANKALPHA_ADMIN_PASSWORD"
METRICS = "RANKALPHA_METRICS_TOKEN"
EXECUTOR = "AIRFLOW__CORE__EXECUTOR"
IDLE_SLEEP = "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME"
NAPS = "rankalpha.airflow_fixes.executor.FailFastLocalExecutor"  # it naps in the scheduler's place
PLACEHOLDER = "<password>"  # in env/example
KNOWN = ("", "airflow", "postgres", "rankalpha", "redis", PLACEHOLDER)  # defaults, here and elsewhere
LOOPBACK = ("127.0.0.1", "::1", "localhost")
SHORTEST = 32  # characters of a key


def check(env: Mapping[str, str]) -> None:
    """Raise SettingsError with a list of everything that the profile lacks or has left at a default."""
    profile, bind = settings().env, DeploymentSettings.load().bind
    if profile == "local" and bind not in LOOPBACK:
        raise SettingsError(
            f"RANKALPHA_BIND={bind}: everybody knows the password of the profile `local`, so it listens on "
            "127.0.0.1 only; choose another profile with RANKALPHA_ENV"
        )
    problems = [] if profile == "local" else [*_problems(env), *_left_open(env)]
    if unknown := settings().stage_queues.keys() - set(STAGE_NAMES):
        problems.append(f"RANKALPHA_QUEUES names {', '.join(sorted(unknown))}, which is not a stage")
    problems += [*old_names(env), *_profiles(), *_sleepless(env)]
    if problems:
        listed = "".join(f"\n  {problem}" for problem in problems)
        raise SettingsError(f"profile {profile!r} cannot start; fix env/{profile}/airflow.env:{listed}")


def _problems(env: Mapping[str, str]) -> Iterator[str]:
    celery = [BROKER] if "Celery" in env.get(EXECUTOR, "") else []
    for key in (DATABASE, *celery, *KEYS, ADMIN):
        # Airflow's own ways to keep a secret elsewhere
        if key != ADMIN and {f"{key}_CMD", f"{key}_SECRET"} & env.keys():
            continue
        value = env.get(key, "")
        if not value:
            yield f"{key} is missing"
        elif key in (DATABASE, BROKER):
            if urlsplit(value).hostname and password_of(value) in KNOWN:  # none is needed for a socket
                yield f"{key} has no password, or one that everybody knows"
        elif value in KNOWN:
            yield f"{key} is still a default"
        elif key == FERNET and not _is_fernet(value):
            yield f"{key} is not a Fernet key; env/example/airflow.env shows how to make one"
        elif key in KEYS and len(value) < SHORTEST:
            yield f"{key} is shorter than {SHORTEST} characters"
    if 0 < len(env.get(METRICS, "")) < SHORTEST:
        yield f"{METRICS} is shorter than {SHORTEST} characters; leave it out to have no metrics"


def _left_open(env: Mapping[str, str]) -> Iterator[str]:
    """Yield other keys, such as connections, that still have the example's password."""
    for key in sorted(env.keys() - {DATABASE, BROKER, ADMIN, *KEYS}):
        if PLACEHOLDER in env[key]:
            yield f"{key} still holds the example's {PLACEHOLDER}"


def _profiles() -> Iterator[str]:
    """Yield the profiles of markets that do not exist."""
    for market in [market for market in markets() if market.profile]:
        try:
            profile_folder(str(market.profile))
        except SettingsError:
            known = ", ".join(sorted(path.name for path in settings().env_dir.glob("*/"))) or "none"
            folder = f"is not a folder of {settings().env_dir}, which has {known}; make it, or fix the key"
            yield f"{settings().markets}: [{market.name}] profile = {market.profile!r} {folder}"


def _sleepless(env: Mapping[str, str]) -> Iterator[str]:
    """Yield a setting that would let the scheduler keep a core busy."""
    executor, seconds = env.get(EXECUTOR, "LocalExecutor"), env.get(IDLE_SLEEP, "")
    if executor != NAPS and seconds and not seconds.strip("0."):
        yield f"{IDLE_SLEEP}={seconds} needs {EXECUTOR}={NAPS}; with {executor} set 0.25 or more"


def _is_fernet(value: str) -> bool:
    try:
        return all(Fernet(key) for key in value.split(","))  # there are several while they are rotated
    except ValueError:
        return False


def password_of(url: str) -> str:
    """Return the password in a URL, an empty string if there is none."""
    return unquote(urlsplit(url).password or "")


def make_local_keys(file: Path = KEYS_FILE) -> None:
    """Make the keys of the profile `local` at its first start, and the addresses of its servers."""
    database = f"postgresql+psycopg2://airflow:{make_password()}@postgres/airflow"
    make_keys(file, **{DATABASE: database, BROKER: f"redis://:{make_password()}@redis:6379/0"})


def write_passwords(env: Mapping[str, str], folder: Path = PASSWORDS) -> None:
    """Write what the stack's own PostgreSQL and Redis read at their start, from the addresses in `env`.

    A server of the stack that Airflow does not use gets a password that nobody knows.
    """
    passwords = {key: password_of(env.get(key, "")) or make_password() for key in (DATABASE, BROKER)}
    quoted = passwords[BROKER].replace("\\", r"\\").replace('"', r"\"")
    # the servers run as users of their own; nobody else mounts this volume
    write_secret(folder / "postgres", passwords[DATABASE], mode=0o444)
    write_secret(folder / "redis.conf", f'requirepass "{quoted}"\n', mode=0o444)


if __name__ == "__main__":
    try:
        check(os.environ)  # the launcher has given it the profile
        if settings().env == "local":
            make_local_keys()
        write_passwords(environment())
    except SettingsError as error:
        sys.exit(f"error: {error}")
