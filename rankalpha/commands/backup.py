"""`backup` and `restore`: of a checkout's embedded stack, or in the container `backup`."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from rankalpha import remedy
from rankalpha.commands.environment import embedded_stack, in_checkout, use
from rankalpha.commands.refusals import Refused
from rankalpha.settings import settings
from rankalpha.stack.backup.database import Database
from rankalpha.stack.backup.files import Data
from rankalpha.stack.backup.place import Place
from rankalpha.stack.backup.reading import contents
from rankalpha.stack.embedded.layout import ROOT
from rankalpha.stack.keys import FERNET, KEYS_FILE
from rankalpha.stack.launch import environment
from rankalpha.stages.env_file import read_env_file

MB = 1e6


def backup(file: str | None) -> int:
    """Write a backup, by default into a new file of the folder of backups."""
    folder = ROOT / "backups" if in_checkout() else Path.cwd()
    target = Path(file).absolute() if file else folder / f"{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}.tar.gz"
    if not target.parent.is_dir():
        raise Refused(f"{target.parent} is not a folder; make it first")
    with _place(new=False) as place:
        place.save(target)
        if os.geteuid() == 0:  # in the container; outside of it the file belongs to whoever has the folder
            owner = target.parent.stat()
            os.chown(target, owner.st_uid, owner.st_gid)
    print(f"Backed up to {target}, {target.stat().st_size / MB:.2f} MB.")
    print(f"Keep it secret: it holds {_secrets(place)}.")
    return 0


def restore(file: str, ask: bool) -> int:
    """Restore a backup, once a person at a terminal agrees to lose what is there."""
    source = Path(file).absolute()
    if in_checkout():
        stack = embedded_stack()
        if stack.running():
            use({**os.environ, "RANKALPHA_STACK": str(stack.layout.state)})
            raise Refused(f"the stack runs; stop it with `{remedy.down()}`, then restore")
    print(f"Reading {source}", flush=True)
    found = contents(source)
    print(f"It was made at {found.about.made} UTC, with Airflow {found.about.airflow}.", flush=True)
    with _place(new=True) as place:
        place.check(source, found)
        if place.database.others():
            raise Refused(
                f"the stack runs, or its database is in use; stop it with `{remedy.down()}`, then restore"
            )
        if ask and place.in_use():
            _agreed()
        place.restore(source, found, lambda step: print(step, flush=True))
        print(f"Restored. `{remedy.up()}` starts the stack.")
    return 0


def _agreed() -> None:
    print("It replaces all batches, Airflow's history and the keys that are here now.", flush=True)
    if not sys.stdin.isatty():
        raise Refused("nothing was replaced; YES=1 of make, or --yes, replaces it without asking")
    if not click.confirm("Replace them?"):
        raise Refused("nothing was replaced")


@contextmanager
def _place(*, new: bool) -> Iterator[Place]:
    """Give the stack that is here, with its database up; only a `new` one may be made for it."""
    if not in_checkout():
        yield _containers()
        return
    stack = embedded_stack()
    state = stack.layout.state
    if not new and not stack.layout.pgdata.exists():
        raise Refused(
            f"there is nothing to back up: {stack.layout.pgdata} does not exist; "
            f"for the containers: `{remedy.backup_of_containers()}`"
        )
    if new:
        stack.down() if state.exists() else stack.layout.prepare()  # ends what a crash has left
    with stack.database() as variables:
        use(variables)
        data = Data(settings().data_dir)
        data.folder.mkdir(parents=True, exist_ok=True)
        yield Place("embedded", _database(), data, variables[FERNET], state / "keys.env")


def _containers() -> Place:
    variables = environment()
    use(variables)
    made = read_env_file(KEYS_FILE) if KEYS_FILE.exists() else {}
    fernet = _configured("core", "fernet_key")
    ours = KEYS_FILE if made.get(FERNET) == fernet else None
    return Place("containers", _database(), Data(settings().data_dir, volumes_only=True), fernet, ours)


def _database() -> Database:
    return Database(_configured("database", "sql_alchemy_conn"))


def _configured(section: str, key: str) -> str:
    from airflow.configuration import conf  # noqa: PLC0415  it reads its settings when it is loaded

    return str(conf.get(section, key, fallback=""))


def _secrets(place: Place) -> str:
    keys = (
        "and the keys that decrypt them"
        if place.keys_file
        else "encrypted; keep the keys of its profile elsewhere"
    )
    return f"Airflow's connections and Variables {keys}"
