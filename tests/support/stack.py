"""A stack as tests run and ask it: the embedded one here, that of containers in `tests.support.compose`."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from rankalpha.airflow_api import AirflowApi
from rankalpha.embedded.ports import free_ports
from rankalpha.pipeline import PIPELINE

ROOT = Path(__file__).resolve().parents[2]
FOREIGN = ("AIRFLOW", "COMPOSE", "RANKALPHA", "PYTHON", "VIRTUAL_ENV", "MAKE")


def wait_for(found, seconds=14):
    """Return what `found` returns as soon as that is true; less than the stages' time limit."""
    deadline = time.monotonic() + seconds
    while not (answer := found()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.2)
    return answer


def copy_checkout(folder):
    """Copy the files that git has or would take, and nothing that was installed or left here."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=True
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)
    return folder


class Stack:
    """Runs a checkout's commands in an environment that holds nothing of Airflow's or ours but `extra`."""

    def __init__(self, checkout, password="rankalpha", **extra):
        ports = dict(zip(("airflow", "api", "frontend"), free_ports(3), strict=True))
        self.checkout = checkout
        self.urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
        self.env = {
            **{key: value for key, value in os.environ.items() if not key.startswith(FOREIGN)},
            **{f"RANKALPHA_{name.upper()}_PORT": str(port) for name, port in ports.items()},
            **extra,
        }
        self.api = AirflowApi(self.urls["airflow"], "rankalpha", password)

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

    def trigger(self, dag_id, key=None):
        """Trigger a DAG by hand; return its run id."""
        body = {"logical_date": None, "partition_key": key}
        return self.api.post(f"dags/{dag_id}/dagRuns", body)["dag_run_id"]

    def runs(self, dag_id, **filters):
        """The newest runs of a DAG, oldest first."""
        newest = {"limit": 100, "order_by": "-run_after"}
        return self.api.get(f"dags/{dag_id}/dagRuns", **newest, **filters)["dag_runs"][::-1]

    def tasks(self, dag_id, run_id):
        """The tasks of a run by their ids."""
        found = self.api.get(f"dags/{dag_id}/dagRuns/{run_id}/taskInstances")["task_instances"]
        return {task["task_id"]: task for task in found}

    def log(self, dag_id, run_id, task_id, attempt=1):
        """A task's log as JSON."""
        content = self.api.get(f"dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{attempt}")
        return json.dumps(content)

    def mark_failed(self, path):
        """End a task or a run, named by its path in the API, as a person does in the UI."""
        self.api._call("PATCH", path, json={"new_state" if "/taskInstances/" in path else "state": "failed"})

    def clear(self, dag_id, run_id, task_id):
        """Clear a task and what follows it, as a person does in the UI."""
        body = {"dag_run_id": run_id, "task_ids": [task_id], "include_downstream": True}
        options = {"dry_run": False, "only_failed": False, "reset_dag_runs": True}
        self.api.post(f"dags/{dag_id}/clearTaskInstances", {**body, **options})

    def delete(self, path):
        """DELETE /api/v2/<path>; AirflowApi's own callers delete nothing."""
        self.api._session.delete(f"{self.api.url}/api/v2/{path}", timeout=10).raise_for_status()

    def events(self, asset):
        """The newest events of a dataset, oldest first."""
        found = self.api.get("assets", name_pattern=asset, limit=1)["assets"]
        events = self.api.get("assets/events", asset_id=found[0]["id"], limit=100, order_by="-timestamp")
        return events["asset_events"][::-1]

    @contextlib.contextmanager
    def variables(self, **values):
        """Set Airflow Variables for a while."""
        for key, value in values.items():
            self.api.post("variables", {"key": key, "value": value})
        try:
            yield
        finally:
            for key in values:
                self.delete(f"variables/{key}")

    def settle(self, timeout=300):
        """Return when no run of the pipeline has been active for some 2 seconds."""
        deadline, quiet = time.monotonic() + timeout, 0
        while quiet < 4:
            assert time.monotonic() < deadline, "the pipeline does not come to rest"
            active = [run for dag_id in PIPELINE for run in self.runs(dag_id, state=["queued", "running"])]
            quiet = 0 if active else quiet + 1
            time.sleep(0.6)


class RunningStack(Stack):
    """The embedded stack: own ports, own state, cleaned up in the end."""

    def __init__(self, state, checkout=ROOT, python=sys.executable, **extra):
        super().__init__(checkout, RANKALPHA_STATE_DIR=str(state), **extra)
        self.state, self.python = state, python

    def stack(self, command, **options):
        """Run a command of scripts/stack.py."""
        return self.run(self.python, str(Path(self.checkout, "scripts/stack.py")), command, **options)

    def processes(self):
        """The process ids of the stack's programs, such as `airflow:scheduler`, by their names."""
        status = self.stack("status").stdout
        return {name: int(pid) for name, pid in re.findall(r"^(\S+) .* pid (\d+)", status, re.MULTILINE)}

    def script(self, name, *arguments):
        """Run one of the operator's scripts, as an outside monitor does."""
        script = str(Path(self.checkout, "scripts", name))
        return self.run(
            "env", f"RANKALPHA_AIRFLOW_URL={self.urls['airflow']}", self.python, script, *arguments
        )

    def airflow(self, command):
        """Return what one of Airflow's own commands prints; it must succeed."""
        done = self.run("make", "airflow", f"ARGS={command}")
        assert done.returncode == 0, done.stdout
        return done.stdout

    @contextlib.contextmanager
    def fault(self, stage, mode):
        """Let a recording stage go wrong for a while."""
        path = self.state / "data" / f"fault-{stage}"
        path.write_text(mode)
        try:
            yield
        finally:
            path.unlink()
