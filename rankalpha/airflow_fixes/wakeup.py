"""Wakes the scheduler or the triggerer when PostgreSQL notifies it of work, see `rankalpha.stack.notices`.

The end of a task is such work too. A connection that listens takes no lock, so that a task that is killed at
any moment holds up nobody. Processes that are forked close their copy, so that the connection ends with the
process that has made it.

Airflow has no setting for it: its scheduler sleeps for a fixed time. Without this fix the executor naps for
that time too, and the triggerer looks once a second, see `deferrals.py`.
"""

import logging
import os
import select
import time
from typing import Any

from rankalpha.airflow_fixes.fix import AbsentError, Fix
from rankalpha.stack.notices import NOTICES, SCHEDULER

log = logging.getLogger(__name__)

AGAIN_SECONDS = 10  # between two attempts to listen
# of libpq: how long an attempt may hold up its process, and when a silent connection counts as lost
CONNECTION = {"connect_timeout": 2, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
FOUND = "SELECT count(*) FROM pg_trigger WHERE tgenabled <> 'D' AND tgname = ANY(%s)"


class Wakeup:
    """Waits for the news of a channel in the process that has made it."""

    def __init__(self, channel: str = SCHEDULER) -> None:
        self.channel = channel
        self._connection: Any = None
        self._descriptor = -1
        self._next_attempt = 0.0
        os.register_at_fork(after_in_child=self._close_copy)

    @property
    def listens(self) -> bool:
        """Whether news ends a wait."""
        return self._connection is not None

    def listen(self) -> None:
        """Have the database notify this process; raise AbsentError when it cannot."""
        from airflow.configuration import conf  # noqa: PLC0415  only the scheduler's
        from sqlalchemy import make_url  # noqa: PLC0415

        url = make_url(conf.get_mandatory_value("database", "sql_alchemy_conn"))
        if url.get_driver_name() != "psycopg2":
            raise AbsentError("Airflow's database is not one that psycopg2 connects to")
        psycopg2: Any = url.get_dialect().import_dbapi()
        address = url.set(drivername="postgresql").render_as_string(hide_password=False)
        try:
            connection = psycopg2.connect(address, **CONNECTION)
            connection.autocommit = True
            with connection.cursor() as cursor:
                names = [name for name, notice in NOTICES.items() if notice.channel == self.channel]
                cursor.execute(FOUND, [names])
                if cursor.fetchone()[0] < len(names):
                    raise AbsentError("Airflow's database lacks the triggers of rankalpha/stack/notices.py")
                cursor.execute(f"LISTEN {self.channel}")
        except psycopg2.Error as error:
            raise AbsentError(f"Airflow's database cannot be listened to: {_first_line(error)}") from error
        self._connection, self._descriptor, self._poll = connection, connection.fileno(), select.poll()
        self._poll.register(connection, select.POLLIN)
        log.info("Airflow's database notifies this process of work on channel %s", self.channel)

    def listen_again(self) -> bool:
        """Listen if it does not, once in AGAIN_SECONDS; return whether it has begun to."""
        if self.listens or time.monotonic() < self._next_attempt:
            return False
        self._next_attempt = time.monotonic() + AGAIN_SECONDS
        return FIX.on(self)

    def wait(self, seconds: float) -> bool:
        """Wait no longer than that; return whether there was news since the last call.

        A connection that was lost counts as news, because some may have been lost with it.
        """
        if self.listen_again():
            return True
        if not self.listens:
            time.sleep(seconds)
            return False
        return bool(self._poll.poll(seconds * 1000)) and self.read()

    def fileno(self) -> int:
        """Return the descriptor to wait on, also once the connection was lost, for what has to forget it."""
        return self._descriptor

    def close(self) -> None:
        """Close the connection."""
        self._connection = None

    def read(self) -> bool:
        """Read what has come; return whether that is news, see `wait`."""
        try:
            self._connection.poll()
        except self._connection.Error as error:
            log.warning("The connection that wakes this process was lost: %s", _first_line(error))
            self._connection = None
            return True
        news = bool(self._connection.notifies)
        self._connection.notifies.clear()
        return news

    def _close_copy(self) -> None:
        if self._connection is not None:
            os.close(self._connection.fileno())  # not the connection itself, which is its maker's
            self._connection = None


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


FIX = Fix(name="wakeup", versions="3.3", apply=Wakeup.listen)
