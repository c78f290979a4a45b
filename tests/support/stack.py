"""The embedded stack as a test runs it: own ports, own state, cleaned up in the end."""

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

from rankalpha.airflow_api import AirflowApi
from rankalpha.embedded.ports import free_ports
from rankalpha.startup import PIPELINE

ROOT = Path(__file__).resolve().parents[2]


def wait_for(found, seconds=14):
    """Return what `found` returns as soon as that is true; less than the stages' time limit."""
    deadline = time.monotonic() + seconds
    while not (answer := found()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.2)
    return answer


class RunningStack:
    """Runs a checkout's commands in an environment that holds nothing of Airflow's or ours but `extra`."""

    def __init__(self, state, checkout=ROOT, python=sys.executable, **extra):
        airflow, api, frontend = free_ports(3)
        self.state, self.checkout, self.python = state, checkout, python
        self.urls = {"airflow": airflow, "api": api, "frontend": frontend}
        self.urls = {name: f"http://127.0.0.1:{port}" for name, port in self.urls.items()}
        foreign = ("AIRFLOW", "RANKALPHA", "PYTHON", "VIRTUAL_ENV", "MAKE")
        self.env = {
            **{key: value for key, value in os.environ.items() if not key.startswith(foreign)},
            "RANKALPHA_STATE_DIR": str(state),
            "RANKALPHA_AIRFLOW_PORT": str(airflow),
            "RANKALPHA_API_PORT": str(api),
            "RANKALPHA_FRONTEND_PORT": str(frontend),
            **extra,
        }
        self.api = AirflowApi(self.urls["airflow"], "rankalpha", "rankalpha")

    def run(self, *command, timeout=600):
        """Run a command in the checkout; return it finished, output and errors together in stdout."""
        return subprocess.run(
            command,
            cwd=self.checkout,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
        )

    def stack(self, command, **options):
        """Run a command of scripts/stack.py."""
        return self.run(self.python, str(Path(self.checkout, "scripts/stack.py")), command, **options)

    def trigger(self, dag_id, key=None):
        """Trigger a DAG by hand; return its run id."""
        body = {"logical_date": None, "partition_key": key}
        return self.api.post(f"dags/{dag_id}/dagRuns", body)["dag_run_id"]

    def runs(self, dag_id, **filters):
        """The newest runs of a DAG, oldest first."""
        newest = {"limit": 100, "order_by": "-run_after"}
        return self.api.get(f"dags/{dag_id}/dagRuns", **newest, **filters)["dag_runs"][::-1]

    def events(self, asset):
        """The newest events of a dataset, oldest first."""
        found = self.api.get("assets", name_pattern=asset, limit=1)["assets"]
        events = self.api.get("assets/events", asset_id=found[0]["id"], limit=100, order_by="-timestamp")
        return events["asset_events"][::-1]

    @contextlib.contextmanager
    def fault(self, stage, mode):
        """Let a recording stage go wrong for a while."""
        path = self.state / "data" / f"fault-{stage}"
        path.write_text(mode)
        try:
            yield
        finally:
            path.unlink()

    def settle(self, timeout=300):
        """Return when no run of the pipeline has been active for some 2 seconds."""
        deadline, quiet = time.monotonic() + timeout, 0
        while quiet < 4:
            assert time.monotonic() < deadline, "the pipeline does not come to rest"
            active = [run for dag_id in PIPELINE for run in self.runs(dag_id, state=["queued", "running"])]
            quiet = 0 if active else quiet + 1
            time.sleep(0.6)
