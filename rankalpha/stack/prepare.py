"""The init step of every stack: database schema, pools and admin user. Safe to repeat."""

import os
import sys

from airflow.cli.cli_parser import get_parser
from airflow.configuration import conf
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from rankalpha.lineage.openlineage.configuration import check_file
from rankalpha.logs import printed_is_logged
from rankalpha.pipeline.challenger import Challenger
from rankalpha.pipeline.market import STAGE_POOL
from rankalpha.pipeline.markets import challengers, markets
from rankalpha.settings import AdminSettings, SettingsError, settings
from rankalpha.stack.backup.half import refuse_half
from rankalpha.stack.notices import remove_notices, write_notices
from rankalpha.stack.preflight import check
from rankalpha.stack.upgrade import remove_unused_pools, rename_in_database

ASSET_MANAGER = "rankalpha.joins.asset_manager.BatchAssetManager"


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
    check(os.environ)
    refuse_half()
    check_file(settings().openlineage)
    _reach(database)
    remove_notices(database)
    airflow("db", "migrate")
    write_notices(database)
    rename_in_database()
    slots, meaning = str(settings().stage_slots), "Stages at the same time; set by RANKALPHA_STAGE_SLOTS"
    airflow("pools", "set", STAGE_POOL, slots, meaning, "--include-deferred")  # their containers run
    for market in (*markets(), *challengers()):
        if market.slots:
            whose = market.variant if isinstance(market, Challenger) else market.name
            meaning = f"Stages of {whose} at the same time; set in the file of the markets"
            airflow("pools", "set", market.pool, str(market.slots), meaning, "--include-deferred")
    remove_unused_pools()
    admin = AdminSettings.load()
    identity = ("--firstname", "RankAlpha", "--lastname", "Admin", "--email", f"{admin.user}@localhost")
    # one word each, because a password may begin with a hyphen
    login = (f"--username={admin.user}", f"--password={admin.password.get_secret_value()}")
    airflow("users", "create", "--role", "Admin", *login, *identity)
    airflow("users", "reset-password", *login)  # when it was changed
    # without this, only Op and Admin may list plugins, and only they see in Airflow's frame what plugins add
    airflow("roles", "add-perms", "Viewer", "User", "--action", "can_read", "--resource", "Plugins")


def _reach(database: str) -> None:
    engine = create_engine(database)
    try:
        engine.connect().close()
    except OperationalError as error:
        address = engine.url.render_as_string(hide_password=True)
        raise SettingsError(
            f"Airflow's database at {address} cannot be reached: {str(error.orig).strip()}; "
            "see AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
        ) from error
    finally:
        engine.dispose()


def airflow(*command: str) -> None:
    """Run an Airflow command in this process."""
    arguments = get_parser().parse_args(command)
    with printed_is_logged():
        arguments.func(arguments)


if __name__ == "__main__":
    try:
        prepare()
    except SettingsError as error:
        sys.exit(f"error: {error}")
