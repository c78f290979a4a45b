"""Start, stop and inspect the embedded stack."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

import psutil

from rankalpha.stack.embedded.layout import ROOT, Layout
from rankalpha.stack.embedded.paths import runtime_dir
from rankalpha.stack.embedded.ports import check_ports
from rankalpha.stack.embedded.postgres import start as start_postgres
from rankalpha.stack.embedded.postgres import stop as stop_postgres
from rankalpha.stack.embedded.processes import end_processes

CONF = Path(__file__).with_name("supervisord.conf")
BIN = Path(sys.prefix, "bin")


class Stack:
    """The embedded stack of one layout."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout

    def up(self) -> None:
        """Start what does not run yet: PostgreSQL, then the supervisor, which starts everything else.

        When a step fails, what the steps before it have started is stopped.
        """
        self.layout.prepare()
        with self._lock():
            if self.running():
                print("The stack is already running.", flush=True)
                return
            self._end_leftovers(stages=False)  # Airflow adopts them
            check_ports(self.layout.ports)
            self.layout.given()  # a mistake in an env file shows before anything is started
            self.layout.make_keys()
            self._forget_last_start()
            try:
                self._start()
            except BaseException:  # an interruption too
                self._end_leftovers(stages=False)
                raise

    def _start(self) -> None:
        print("Starting PostgreSQL", flush=True)
        environment = self.environment()
        print("Starting Airflow and the reference services", flush=True)
        Path(environment["RANKALPHA_SOCKET"]).unlink(missing_ok=True)  # of one that was killed
        # -P: nothing is imported from the working folder
        self._run(
            [BIN / "python", "-P", "-m", "rankalpha.stack.embedded.supervisor", "-c", CONF], environment
        )

    def _forget_last_start(self) -> None:
        """Set the logs of earlier starts aside, so that a failed start shows its own error only."""
        for log in (self._start_log, self.layout.pgdata / "log"):
            with suppress(FileNotFoundError):
                log.replace(log.with_name(f"{log.name}.before"))

    def down(self) -> None:
        """Stop everything; harmless when nothing runs. State stays."""
        self.layout.prepare()
        with self._lock():
            supervisor = self._supervisor_pid()  # its file is gone once it has ended
            if self.running():
                self.control("shutdown")
                self._wait_for_end(supervisor)
            self._end_leftovers(stages=True)

    def clean(self) -> None:
        """Stop everything and remove all state: batches, Airflow's history, keys."""
        if self.layout.state.exists():
            self.down()
            self.layout.remove()

    def running(self) -> bool:
        """Return whether the supervisor runs; what it supervises may be starting."""
        with suppress(psutil.Error):
            return "supervisord" in " ".join(psutil.Process(self._supervisor_pid()).cmdline())
        return False

    def _supervisor_pid(self) -> int:
        """Return the id of the newest supervisor, running or not; 0 when there was none."""
        with suppress(OSError, ValueError):
            return int((self.layout.state / "supervisord.pid").read_text())
        return 0

    @property
    def _start_log(self) -> Path:
        return self.layout.logs / "start.log"

    def control(self, *command: str) -> str:
        """Run supervisorctl and return what it prints."""
        done = subprocess.run(
            [BIN / "supervisorctl", "-c", CONF, *command],
            env=self._supervisor_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout + done.stderr

    def environment(self) -> dict[str, str]:
        """Return the environment of the stack's processes; starts PostgreSQL when it does not run."""
        database = start_postgres(self.layout.pgdata).get_uri(driver="psycopg2")
        return {**self.layout.environment(database), **self._supervisor_environment()}

    @contextmanager
    def database(self) -> Iterator[dict[str, str]]:
        """Give the environment of the stack's processes, with PostgreSQL up; a start or stop waits."""
        self.layout.prepare()
        self.layout.make_keys()
        with self._lock():
            running = self.running()
            try:
                yield self.environment()
            finally:
                if not running:
                    stop_postgres(self.layout.pgdata)

    def _supervisor_environment(self) -> dict[str, str]:
        name = sha256(str(self.layout.state).encode()).hexdigest()[:12]
        path = os.pathsep.join([str(BIN), os.environ.get("PATH", os.defpath)])
        return {
            "PATH": path,
            "RANKALPHA_STACK": str(self.layout.state),
            "RANKALPHA_ROOT": str(ROOT),
            "RANKALPHA_BIN": str(BIN),
            "RANKALPHA_SOCKET": str(runtime_dir() / f"supervisor-{name}.sock"),
        }

    def _run(self, command: list[str | Path], environment: dict[str, str]) -> None:
        log = self._start_log
        with log.open("ab") as file:
            done = subprocess.run(command, env=environment, cwd=ROOT, stdout=file, stderr=file, check=False)
        if done.returncode:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
            raise SystemExit(f"{' '.join(map(str, command))} failed:\n{tail}\n(see {log})")

    def _wait_for_end(self, supervisor: int) -> None:
        with suppress(psutil.Error):
            psutil.Process(supervisor).wait(60)

    def _end_leftovers(self, *, stages: bool) -> None:
        """End processes of this stack that have outlived its supervisor, PostgreSQL last."""
        end_processes(self.layout.state, stages=stages)
        stop_postgres(self.layout.pgdata)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Keep a second `make up` or `make down` of this stack waiting until the first has finished."""
        with (self.layout.state / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
