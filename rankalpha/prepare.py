"""The init step of every stack: database schema, admin user and the publish pool. Safe to repeat."""

import os

from airflow.cli.cli_parser import get_parser

from rankalpha.defaults import PUBLISH_POOL
from rankalpha.settings import AdminSettings


def prepare() -> None:
    """Run Airflow's own commands in one process."""
    admin = AdminSettings()
    _airflow("db", "migrate")
    _airflow("pools", "set", PUBLISH_POOL, "1", "Events are registered one at a time; keep it at 1")
    identity = ("--firstname", "RankAlpha", "--lastname", "Admin", "--email", f"{admin.user}@localhost")
    password = admin.password.get_secret_value()
    _airflow("users", "create", "--role", "Admin", "--username", admin.user, "--password", password, *identity)


def _airflow(*command: str) -> None:
    arguments = get_parser().parse_args(command)
    arguments.func(arguments)


if __name__ == "__main__":
    os.umask(0o077)
    prepare()
