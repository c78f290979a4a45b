"""Where the embedded stack keeps its state, its ports, and the environment of its processes."""

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values

from rankalpha.lineage.openlineage.configuration import configuration
from rankalpha.no_proxy import with_exceptions
from rankalpha.settings import SettingsError, StackSettings
from rankalpha.stack.embedded.paths import check_checkout, check_state_folder, runtime_dir
from rankalpha.stack.keys import make_keys
from rankalpha.stages.env_file import read_env_file

ROOT = Path(__file__).resolve().parents[3]
FOLDERS = ("airflow", "data", "logs", "postgres", "processes")
STATE = (*FOLDERS, "keys.env", "keys.new", "supervisord.pid", "lock", "half-restored")


@dataclass(frozen=True)
class Layout:
    """Paths and ports of one stack; everything it writes lies below `state`."""

    stack: StackSettings

    @property
    def state(self) -> Path:
        """Folder of all state, absolute and without symbolic links, as PostgreSQL names its own."""
        return (ROOT / self.stack.state_dir).resolve()  # an absolute one stays

    @property
    def pgdata(self) -> Path:
        """PostgreSQL's data folder."""
        return self.state / "postgres"

    @property
    def logs(self) -> Path:
        """Folder of the components' logs, one file each."""
        return self.state / "logs"

    @property
    def ports(self) -> dict[str, int]:
        """The ports that the stack listens on, by the setting that names them."""
        return {
            "RANKALPHA_AIRFLOW_PORT": self.stack.airflow_port,
            "RANKALPHA_API_PORT": self.stack.api_port,
            "RANKALPHA_FRONTEND_PORT": self.stack.frontend_port,
        }

    @property
    def urls(self) -> dict[str, str]:
        """The addresses a user opens or calls, by setting."""
        return {key.replace("_PORT", "_URL"): f"http://127.0.0.1:{port}" for key, port in self.ports.items()}

    def prepare(self) -> None:
        """Make the folders; what processes write in them is for their owner only. Raises SettingsError."""
        check_checkout(ROOT)
        check_state_folder(self.state)
        runtime_dir()
        try:
            self.state.mkdir(parents=True, exist_ok=True)
            for folder in (self.logs, self.state / "airflow", self.state / "data"):
                folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise SettingsError(
                f"cannot make the folder {error.filename!r}: {error.strerror}; "
                "choose another folder with RANKALPHA_STATE_DIR"
            ) from error

    def make_keys(self) -> None:
        """Make the keys that belong to this stack alone, at its first start."""
        make_keys(self.state / "keys.env")

    def given(self) -> dict[str, str]:
        """Return what the chosen profile and the caller give to every process of the stack.

        The caller's own variables win. Raises SettingsError for a mistake in an env file.
        """
        folder = ROOT / "env" / self.stack.env
        profile = {**read_env_file(folder / "api.env"), **read_env_file(folder / "airflow.env")}
        given = {**self._defaults(), **profile, **_inherited()}
        return {**configuration(given), **given}

    def remove(self) -> None:
        """Remove all state, but no file of others, in case the folder is shared."""
        for name in STATE:
            path = self.state / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        with suppress(OSError):
            self.state.rmdir()

    def environment(self, database: str) -> dict[str, str]:
        """Return the environment of every process of the stack.

        What the stack itself decides wins over what it was given.
        """
        variables = {**self.given(), **self._fixed(database), **self._keys()}
        return {**variables, **with_exceptions(variables)}

    def _defaults(self) -> dict[str, str]:
        markets = ROOT / "datasets" / "markets.toml"
        return {
            **({"RANKALPHA_MARKETS": str(markets)} if markets.exists() else {}),
            "RANKALPHA_ENV_DIR": str(ROOT / "env"),
            "RANKALPHA_RUNNER": "process",
            "RANKALPHA_RANKING_URL": self.urls["RANKALPHA_FRONTEND_URL"],
            "RANKALPHA_DATA_DIR": str(self.state / "data"),
            "RANKALPHA_PROCESS_DIR": str(self.state / "processes"),
        }

    def _fixed(self, database: str) -> dict[str, str]:
        airflow = self.urls["RANKALPHA_AIRFLOW_URL"]
        return {
            **self.urls,
            "RANKALPHA_STACK": str(self.state),
            "RANKALPHA_APP_DIR": str(ROOT),
            "API_PORT": str(self.stack.api_port),
            "API_URL": self.urls["RANKALPHA_API_URL"],
            "FRONTEND_PORT": str(self.stack.frontend_port),
            "PYTHONUNBUFFERED": "1",
            "SPT_NOENV": "1",  # a process that titles itself keeps its environment, by which it is known
            "AIRFLOW_HOME": str(self.state / "airflow"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT),  # the bundle: DAGs import `datasets` from its root
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
            "AIRFLOW__DATABASE__CHECK_MIGRATIONS": "False",  # the supervisor has just migrated it
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.stack.airflow_port),
            "AIRFLOW__API__BASE_URL": airflow,
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{airflow}/execution/",
        }

    def _keys(self) -> Mapping[str, str]:
        return {key: value or "" for key, value in dotenv_values(self.state / "keys.env").items()}


def _inherited() -> dict[str, str]:
    # PYTHONPATH would put another `datasets` before the bundle's
    return {
        key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "MAKEFLAGS", "MAKELEVEL")
    }
