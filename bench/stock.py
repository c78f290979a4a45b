"""A stack of stock Airflow: its own defaults but for PostgreSQL, and nothing of RankAlpha installed."""

import json
import os
import secrets
import signal
import subprocess
import sysconfig
import tempfile
import venv
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.report import say
from rankalpha.stack.embedded.postgres import start, stop
from tests.support.checkout import ROOT
from tests.support.stack import Stack

# logs are not served, because that port is fixed
COMPONENTS = ("api-server", "scheduler --skip-serve-logs", "dag-processor", "triggerer --skip-serve-logs")
# RankAlpha's plugin, and providers that its stack needs
LEFT_OUT = ("rankalpha", "_editable_impl_rankalpha", "apache_airflow_providers_")
KEPT = tuple(f"apache_airflow_providers_{name}" for name in ("common", "docker", "smtp", "standard"))


class StockStack(Stack):
    """The four components as processes of this one; `roots` are their ids and PostgreSQL's."""

    def __init__(self, folder: Path, **extra: str) -> None:
        super().__init__(ROOT)
        self.folder = folder
        self.python = _packages_without_ours(folder / "venv")
        server = start(folder / "postgres")
        self.roots = [server.get_pid()]
        self.env = {**self._airflow(server.get_uri(driver="psycopg2")), **extra}
        (folder / "passwords").write_text(json.dumps({"rankalpha": "rankalpha"}))

    def _airflow(self, database: str) -> dict[str, str]:
        url = self.urls["airflow"]
        return {
            "PATH": os.pathsep.join([str(self.python.parent), os.environ["PATH"]]),
            "HOME": str(self.folder),
            "PYTHONPATH": str(ROOT),  # for `bench.work`
            "AIRFLOW_HOME": str(self.folder / "airflow"),
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": url.rpartition(":")[2],
            "AIRFLOW__API__SECRET_KEY": secrets.token_hex(),
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(),
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "false",
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "bench/dags/stock"),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self.folder / "passwords"),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "rankalpha:admin",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
        }

    def start(self) -> None:
        """Make the database's schema and start the components, each with its log in the folder."""
        self._airflow_command("db migrate").wait()
        self.roots += [self._airflow_command(component).pid for component in COMPONENTS]

    def _airflow_command(self, command: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{command.partition(' ')[0]}.log").open("wb") as log:
            airflow = [self.python, "-m", "airflow", *command.split()]
            return subprocess.Popen(airflow, env=self.env, stdout=log, stderr=log, start_new_session=True)

    def processes(self) -> dict[str, int]:
        """Return the ids of the components and PostgreSQL by their names."""
        names = ("PostgreSQL", *(component.partition(" ")[0] for component in COMPONENTS))
        return dict(zip(names, self.roots, strict=True))

    def end(self) -> None:
        """End what was started, PostgreSQL last; nothing of it is needed afterwards."""
        for component in self.roots[1:]:
            with suppress(ProcessLookupError):
                os.killpg(component, signal.SIGKILL)
        stop(self.folder / "postgres")


def _packages_without_ours(folder: Path) -> Path:
    """Make a Python environment of links to this one's packages; return its Python."""
    venv.create(folder, symlinks=True)
    target = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder)}))
    for package in Path(sysconfig.get_path("purelib")).iterdir():
        if package.name.startswith(KEPT) or not package.name.startswith(LEFT_OUT):
            (target / package.name).symlink_to(package)
    return folder / "bin" / "python"


@contextmanager
def stock(**extra: str) -> Iterator[StockStack]:
    """Run a stack of stock Airflow; `extra` goes to its environment."""
    with tempfile.TemporaryDirectory(prefix="rankalpha-bench-") as folder:
        stack = StockStack(Path(folder), **extra)
        try:
            say("Starting stock Airflow")
            stack.start()
            yield stack
        finally:
            stack.end()
