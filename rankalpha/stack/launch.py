"""Entry point of Airflow's containers: gives a command its environment, then becomes that command.

`python -m rankalpha.stack.launch airflow scheduler`. What the container was given wins over the profile's
env/<profile>/airflow.env, and that over the keys that the profile `local` made for itself. Secrets are read
from files here, not given to the container, so that `docker inspect` shows none.
"""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from rankalpha.lineage.openlineage.configuration import configuration
from rankalpha.no_proxy import with_exceptions
from rankalpha.settings import SettingsError, settings
from rankalpha.stack.keys import KEYS_FILE
from rankalpha.stages.env_file import read_env_file
from rankalpha.stages.profile import profile_folder

BROKER, RESULT_BACKEND = "AIRFLOW__CELERY__BROKER_URL", "AIRFLOW__CELERY__RESULT_BACKEND"


def environment(keys_file: Path = KEYS_FILE) -> dict[str, str]:
    """Return the environment of this container's command; SettingsError for a profile that is not there."""
    profile = settings().env
    made = read_env_file(keys_file) if profile == "local" and keys_file.exists() else {}
    given = {**made, **read_env_file(profile_folder(profile) / "airflow.env"), **os.environ}
    if BROKER in given:  # Airflow's own default is its database, which workers need not reach
        given.setdefault(RESULT_BACKEND, given[BROKER])
    return {**configuration(given), **given, **with_exceptions(given)}


def launch(command: list[str], env: Mapping[str, str]) -> NoReturn:
    """Become `command`; the programs of this Python's own environment come first."""
    path = os.pathsep.join([str(Path(sys.executable).parent), env.get("PATH", os.defpath)])
    program = shutil.which(command[0], path=path)
    if program is None:
        raise SettingsError(f"there is no program {command[0]!r} in this image")
    os.execve(program, [program, *command[1:]], dict(env))  # noqa: S606  no shell is wanted


if __name__ == "__main__":
    try:
        launch(sys.argv[1:], environment())
    except SettingsError as error:
        sys.exit(f"error: {error}")
