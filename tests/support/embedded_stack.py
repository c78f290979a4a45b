"""The embedded stack as tests run and ask it."""

import contextlib
import re
import sys
from pathlib import Path

import psutil
import psycopg

from rankalpha.commands.readiness import wait_for_airflow
from tests.support import runs
from tests.support.checkout import ROOT
from tests.support.stack import LINES, Stack
from tests.support.waiting import wait_for


class RunningStack(Stack):
    """The embedded stack: own ports, own state, cleaned up in the end."""

    def __init__(self, state, checkout=ROOT, python=sys.executable, **extra):
        super().__init__(checkout, RANKALPHA_STATE_DIR=str(state), **extra)
        self.state, self.rankalpha = state, str(Path(python).with_name("rankalpha"))

    @contextlib.contextmanager
    def started(self):
        """Start it, wait until it can run batches, and remove it in the end, unless it is to be kept."""
        try:
            self.start()
            yield self
        finally:
            self.end()

    def start(self):
        """Start what is not running, and return when it can run batches."""
        done = self.stack("up", "--no-batch")
        assert done.returncode == 0, done.stdout
        wait_for_airflow(self.api)

    def end(self):
        """Stop it, and remove its state unless it is to be kept."""
        self.stack(*runs.DOWN)

    def stack(self, *command, **options):
        """Run a command of `rankalpha` in this stack."""
        return self.run(self.rankalpha, *command, **options)

    def query(self, text):
        """Ask PostgreSQL at its socket; a server that was just killed is waited for."""

        def ask():
            socket = (self.state / "postgres" / "postmaster.pid").read_text().splitlines()[4]
            with psycopg.connect(host=socket, user="postgres", autocommit=True) as connection:
                return [[row[0] for row in connection.execute(text)]]

        return wait_for("PostgreSQL", ask, forgive=(OSError, IndexError, psycopg.OperationalError))[0]

    def component_logs(self):
        """The last lines of each file that the supervisor keeps."""
        files = sorted((self.state / "logs").glob("*.log"))
        return {file.name: "".join(file.open(errors="replace").readlines()[-LINES:]) for file in files}

    def processes(self):
        """The process ids of the stack's programs, such as `airflow:scheduler`, by their names."""
        status = self.stack("status").stdout
        return {name: int(pid) for name, pid in re.findall(r"^(\S+) .* pid (\d+)", status, re.MULTILINE)}

    def running(self):
        """All processes of the stack, however they call themselves, PostgreSQL's too."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                words = " ".join([process.cwd(), *process.cmdline(), *process.environ().values()])
                if str(self.state) in words and "pytest" not in words:
                    found.append(process)
        return found

    def command(self, name, *arguments):
        """Run a command of `rankalpha` that asks Airflow alone, as an outside monitor does."""
        address = f"RANKALPHA_AIRFLOW_URL={self.urls['airflow']}"
        return self.run("env", address, self.rankalpha, name, *arguments)

    def make(self, command, arguments=""):
        """Return what one of the operator's commands prints; it must succeed."""
        done = self.run("make", command, f"ARGS={arguments}")
        assert done.returncode == 0, done.stdout
        return done.stdout

    def airflow(self, command):
        """Return what one of Airflow's own commands prints; it must succeed."""
        return self.make("airflow", command)
