"""The supervisor of the embedded stack: prepares the database, then supervises, with Airflow loaded once.

It is supervisord, but a program of its configuration that is a Python module, `python -m module …`, goes on
in the forked process with what is loaded already, instead of starting Python anew. So Airflow's components
share memory, and start sooner.
"""

import atexit
import gc
import importlib
import os
import runpy
import signal
import sys
import threading
import traceback
from collections.abc import Mapping
from contextlib import suppress
from typing import NoReturn

from setproctitle import setproctitle
from sqlalchemy.orm import configure_mappers
from supervisor import supervisord
from supervisor.options import ServerOptions

# What at least two components import; by name, because some of it stands above this package. It must not hold
# `airflow.api_fastapi.main`, see rankalpha/plugin.py
SHARED = (
    "aiohttp.web",
    "airflow.cli.cli_parser",
    "airflow.cli.commands.daemon_utils",
    "airflow.jobs.dag_processor_job_runner",
    "airflow.jobs.scheduler_job_runner",
    "airflow.jobs.triggerer_job_runner",
    "airflow.migrations.utils",
    "airflow.models.dag_favorite",
    "airflow.models.revoked_token",
    "airflow.models.task_state_store",
    "airflow.providers.fab.auth_manager.fab_auth_manager",
    "airflow.providers.fab.www.app",
    "airflow.sdk.execution_time.task_runner",
    "airflow.utils.serve_logs",
    "alembic.command",
    "polars",
    "rankalpha.containers.trigger",
    "rankalpha.defaults",
    "rankalpha.operators",
    "rankalpha.operators.http_call",
    "rankalpha.runners",
    "uvicorn",
)
ONE_VERSION = "rankalpha.airflow_fixes.one_version"
PREPARE = (sys.executable, "-m", "rankalpha.stack.prepare")
HANDLED = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGCHLD, signal.SIGUSR2)  # by supervisord
STREAMS = sys.stdout, sys.stderr  # loggers hold them; supervisord puts others in their place


class Options(ServerOptions):  # type: ignore[misc]
    """Executes programs, but goes on with Python's modules."""

    def execve(self, filename: str, argv: list[str], env: dict[str, str]) -> None:
        """Become the program, in a process that was forked for it."""
        if is_module(argv):
            become(argv, env)
        super().execve(filename, argv, env)


def load() -> None:
    """Load what the components share; what cannot be loaded is left to those that need it, which say why."""
    for module in SHARED:
        with suppress(Exception):
            importlib.import_module(module)
    with suppress(Exception):
        _make()
    gc.collect()
    gc.freeze()  # or the components' collections would write into the pages that they share


def _make() -> None:
    """Make what each component would make for itself, and would not share."""
    from airflow.cli.cli_parser import get_parser  # noqa: PLC0415

    get_parser()
    importlib.import_module(ONE_VERSION).FIX.on()  # its app is not used, but what it has loaded is
    configure_mappers()


def is_module(program: list[str]) -> bool:
    """Return whether a program is a module of this Python."""
    return program[:2] == [sys.executable, "-m"]


def become(program: list[str], environment: Mapping[str, str]) -> NoReturn:
    """Run a module as `python -m` would, without the working folder in Python's path, and end the process."""
    for number in HANDLED:
        signal.signal(number, signal.SIG_DFL)
    sys.stdout, sys.stderr = STREAMS
    sys.__stdout__, sys.__stderr__ = STREAMS  # type: ignore[misc, assignment]
    setproctitle(" ".join(program))
    os.environ.update(environment)
    sys.path[:0] = [folder for folder in environment.get("PYTHONPATH", "").split(os.pathsep) if folder]
    sys.argv = program[2:]
    status = _status_of(program[2])
    threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001  as multiprocessing does
    atexit._run_exitfuncs()  # noqa: SLF001
    for stream in STREAMS:
        stream.flush()
    os._exit(status)


def _status_of(module: str) -> int:
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if not isinstance(end.code, str):
            return int(end.code or 0)
        print(end.code, file=sys.stderr)
        return 1
    except BaseException:  # noqa: BLE001  it must not reach supervisord
        traceback.print_exc()
        return 1
    return 0


def prepare() -> int:
    """Prepare Airflow's database in a process of its own, and return its exit status."""
    if pid := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    become([*PREPARE], {})


def supervise() -> None:
    """Run supervisord with the arguments of this process."""
    supervisord.ServerOptions = Options
    supervisord.main()


if __name__ == "__main__":
    load()
    if status := prepare():
        sys.exit(status)
    supervise()
