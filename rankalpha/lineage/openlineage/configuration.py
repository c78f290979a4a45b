"""The OpenLineage provider's configuration, made from one setting for all of Airflow's processes."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rankalpha.pipeline.steps import HOUSEKEEPING
from rankalpha.settings import SettingsError
from rankalpha.usable import url_problem

TARGET = "RANKALPHA_OPENLINEAGE"
KEY = f"{TARGET}_KEY"
NAMESPACE = "rankalpha"  # of jobs and of datasets
BESIDE = f"rankalpha_({'|'.join(HOUSEKEEPING)})"
POLICY = [{"scope": {"dag_id": BESIDE}, "match_mode": "regex", "controls": {"emit": False}, "locked": True}]
# seconds that a task waits at most for a server that does not answer, at its start and at its end
TIMEOUT = 5
OPTIONS = {
    "NAMESPACE": NAMESPACE,
    "EXTRACTORS": "rankalpha.lineage.openlineage.extractor.DatasetExtractor",
    "EMISSION_POLICY": json.dumps(POLICY),
    "DISABLE_SOURCE_CODE": "true",  # code stays inside
    "EXECUTE_IN_THREAD": "true",  # because a fork would share the task's channel to its supervisor
    "EXECUTION_TIMEOUT": str(TIMEOUT),
}


def configuration(env: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that turn the provider on or off, by RANKALPHA_OPENLINEAGE in `env`.

    When that is empty nothing else turns it on, such as an OPENLINEAGE_URL that is meant for another program.
    Raises SettingsError for a value that is neither the URL of a server nor the absolute path of a file.
    """
    target = env.get(TARGET, "")
    if not target:
        return {"AIRFLOW__OPENLINEAGE__DISABLED": "true"}
    transport = json.dumps(_transport(target, with_key=bool(env.get(KEY))))
    options = {"DISABLED": "false", "TRANSPORT": transport, **OPTIONS}
    return {f"AIRFLOW__OPENLINEAGE__{option}": value for option, value in options.items()}


def check_file(target: str) -> None:
    """Raise SettingsError when the setting is a file that cannot be written; a server is not asked."""
    if Path(target).is_absolute():
        try:
            Path(target).open("ab").close()
        except OSError as error:
            raise SettingsError(f"{TARGET}={target!r} cannot be written: {error.strerror}") from error


def _transport(target: str, *, with_key: bool) -> dict[str, Any]:
    if Path(target).is_absolute():
        return {"type": "file", "log_file_path": target, "append": True}
    if url_problem(target):
        raise SettingsError(
            f"{TARGET}={target!r} is neither the URL of a server, such as http://marquez:5000, "
            "nor the absolute path of a file"
        )
    url = urlsplit(target)
    if url.username or url.password:
        raise SettingsError(
            f"{TARGET}: a user or password in the address would be visible; set {KEY} instead"
        )
    # Airflow shows this in its configuration, so it does not hold the key, see `key`
    auth = {"auth": {"type": "rankalpha.lineage.openlineage.key.KeyOfSettings"}} if with_key else {}
    return {"type": "http", "url": target, "timeout": TIMEOUT, "retry": {"total": 1}, **auth}
