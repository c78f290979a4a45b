"""Lets PostgreSQL notify Airflow's scheduler and triggerer of work that another process has written.

What the scheduler itself writes step by step matches no trigger: a run that it makes of a schedule or of
datasets, a task that it queues, a run that it ends. Otherwise it would wake itself in a circle.
"""

import logging
from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

log = logging.getLogger(__name__)

SCHEDULER, TRIGGERER = "rankalpha_scheduler", "rankalpha_triggerer"  # channels
# A transaction sends it once, when it is committed, however many of its rows match a trigger. Triggers that
# were written before there were two channels name none.
FUNCTION = f"""
CREATE OR REPLACE FUNCTION rankalpha_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify(COALESCE(TG_ARGV[0], '{SCHEDULER}'), '');
    RETURN NULL;
END $$
"""


class Notice(NamedTuple):
    """A trigger of PostgreSQL."""

    event: str
    table: str
    condition: str = ""  # on a row; none: once for each statement
    channel: str = SCHEDULER


REQUESTED = "NEW.state = 'queued' AND NEW.run_type NOT IN ('scheduled', 'asset_triggered')"
ENDED = "OLD.state = 'running' AND NEW.state NOT IN ('running', 'deferred', 'restarting')"
NOTICES = {
    "rankalpha_run_requested": Notice("INSERT", "dag_run", REQUESTED),
    "rankalpha_run_cleared": Notice(
        "UPDATE OF state", "dag_run", "NEW.state = 'queued' AND OLD.state <> 'queued'"
    ),
    "rankalpha_task_cleared": Notice(
        "UPDATE OF state", "task_instance", "NEW.state IS NULL AND OLD.state IS NOT NULL"
    ),
    "rankalpha_task_ended": Notice("UPDATE OF state", "task_instance", ENDED),
    "rankalpha_trigger_fired": Notice(
        "UPDATE OF state", "task_instance", "OLD.state = 'deferred' AND NEW.state <> 'deferred'"
    ),
    "rankalpha_event": Notice("INSERT", "asset_dag_run_queue"),
    "rankalpha_event_of_batch": Notice("INSERT", "partitioned_asset_key_log"),
    "rankalpha_trigger_written": Notice("INSERT", "trigger", channel=TRIGGERER),
}


def write_notices(database: str) -> None:
    """Write the triggers into Airflow's migrated database. Safe to repeat."""
    _execute(database, [FUNCTION, *(_create(name, notice) for name, notice in NOTICES.items())])


def remove_notices(database: str) -> None:
    """Remove the triggers: a migration cannot change a column that one of them reads. Safe to repeat."""
    _execute(
        database, [f"DROP TRIGGER IF EXISTS {name} ON {notice.table}" for name, notice in NOTICES.items()]
    )


def _create(name: str, notice: Notice) -> str:
    rows = f"FOR EACH ROW WHEN ({notice.condition})" if notice.condition else "FOR EACH STATEMENT"
    return (
        f"CREATE OR REPLACE TRIGGER {name} AFTER {notice.event} ON {notice.table} "
        f"{rows} EXECUTE FUNCTION rankalpha_notify('{notice.channel}')"
    )


def _execute(database: str, statements: Iterable[str]) -> None:
    """Execute each statement by itself; a database that refuses one is logged, and works as before."""
    engine = create_engine(database, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text("SET lock_timeout = '5s'"))  # a stack that runs goes first
            for statement in statements:
                connection.execute(text(statement))
    except DBAPIError as error:
        log.warning("The database cannot notify Airflow of work: %s", str(error.orig).strip())
    finally:
        engine.dispose()
