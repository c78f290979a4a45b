"""The init step of every stack: database schema, admin user and the publish pool. Safe to repeat."""

import sys

from airflow.cli.cli_parser import get_parser
from airflow.configuration import conf

from rankalpha.defaults import PUBLISH_POOL
from rankalpha.settings import AdminSettings, SettingsError, settings

ASSET_MANAGER = "rankalpha.events.BatchAssetManager"


def prepare() -> None:
    """Run Airflow's own commands in one process; SettingsError for what must not be run with."""
    database = conf.get_mandatory_value("database", "sql_alchemy_conn")
    if not database.startswith("postgresql"):
        raise SettingsError(
            "Airflow's database must be PostgreSQL: others lose events that are published at the same time; "
            "set AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
        )
    if conf.get("core", "asset_manager_class", fallback="") != ASSET_MANAGER:
        raise SettingsError(
            f"set AIRFLOW__CORE__ASSET_MANAGER_CLASS={ASSET_MANAGER}, or batches are not joined"
        )
    admin = AdminSettings.load()
    if settings().env != "local" and admin.has_default_password:
        raise SettingsError(
            f"profile {settings().env!r} must not keep the default password: set RANKALPHA_ADMIN_PASSWORD"
        )
    airflow("db", "migrate")
    airflow("pools", "set", PUBLISH_POOL, "1", "Events are registered one at a time; keep it at 1")
    identity = ("--firstname", "RankAlpha", "--lastname", "Admin", "--email", f"{admin.user}@localhost")
    password = admin.password.get_secret_value()
    airflow("users", "create", "--role", "Admin", "--username", admin.user, "--password", password, *identity)
    airflow(
        "users", "reset-password", "--username", admin.user, "--password", password
    )  # when it was changed


def airflow(*command: str) -> None:
    """Run an Airflow command in this process."""
    arguments = get_parser().parse_args(command)
    arguments.func(arguments)


if __name__ == "__main__":
    try:
        prepare()
    except SettingsError as error:
        sys.exit(f"error: {error}")
