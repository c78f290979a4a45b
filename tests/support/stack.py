"""A stack as tests run and ask it; `embedded_stack` and `compose` are its kinds."""

import contextlib
import json
import os
import subprocess
import time

from rankalpha.airflow_api import AirflowApi
from rankalpha.pipeline.pipelines import PIPELINE
from rankalpha.stack.embedded.ports import free_ports
from tests.support.checkout import EACH_RUNS

FOREIGN = ("AIRFLOW", "COMPOSE", "RANKALPHA", "PYTHON", "VIRTUAL_ENV", "MAKE")
PORTS = {name: f"RANKALPHA_{name.upper()}_PORT" for name in ("airflow", "api", "frontend")}
LINES = 30  # of a component's log in the report of a failed test
# what a DAG still has to do: a run, an event that waits for the scheduler, or a join that lacks nothing
LEFT_TO_DO = """
    SELECT dag_id || ' ' || run_id || ' is ' || state FROM dag_run
        WHERE state IN ('queued', 'running') AND dag_id IN ({dags})
    UNION ALL
    SELECT target_dag_id || ' has an event to be scheduled for' FROM asset_dag_run_queue
        WHERE target_dag_id IN ({dags})
    UNION ALL
    SELECT target_dag_id || ' has all of batch ' || partition_key FROM asset_partition_dag_run AS waiting
        WHERE created_dag_run_id IS NULL AND target_dag_id IN ({dags}) AND NOT EXISTS (
            SELECT 1 FROM dag_schedule_asset_reference AS needed
            WHERE needed.dag_id = waiting.target_dag_id AND NOT EXISTS (
                SELECT 1 FROM partitioned_asset_key_log AS there
                WHERE there.asset_partition_dag_run_id = waiting.id AND there.asset_id = needed.asset_id))
"""


class Stack:
    """Runs a checkout's commands in an environment that holds nothing of Airflow's or ours but `extra`."""

    def __init__(self, checkout, password="rankalpha", **extra):
        free = zip(PORTS.values(), map(str, free_ports(len(PORTS))), strict=True)
        self.checkout = checkout
        self.env = {
            **{key: value for key, value in os.environ.items() if not key.startswith(FOREIGN)},
            **dict(free),
            **{f"AIRFLOW_VAR_{key}": "false" for key in EACH_RUNS},
            **extra,
        }
        self.urls = {name: f"http://127.0.0.1:{self.env[key]}" for name, key in PORTS.items()}
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

    @contextlib.contextmanager
    def paused(self, dag_id):
        """Pause a DAG for a while."""
        self.api.patch(f"dags/{dag_id}", {"is_paused": True})
        try:
            yield
        finally:
            self.api.patch(f"dags/{dag_id}", {"is_paused": False})

    def runs(self, dag_id, **filters):
        """The newest runs of a DAG, oldest first."""
        newest = {"limit": 100, "order_by": "-run_after"}
        return self.api.get(f"dags/{dag_id}/dagRuns", **newest, **filters)["dag_runs"][::-1]

    def tasks(self, dag_id, run_id):
        """The tasks of a run by their ids."""
        tasks = self.api.get(f"dags/{dag_id}/dagRuns/{run_id}/taskInstances")["task_instances"]
        return {task["task_id"]: task for task in tasks}

    def log(self, dag_id, run_id, task_id, attempt=1):
        """A task's log as JSON."""
        content = self.api.get(f"dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{attempt}")
        return json.dumps(content)

    def mark_failed(self, path):
        """End a task or a run, named by its path in the API, as a person does in the UI."""
        self.api._call("PATCH", path, json={"new_state" if "/taskInstances/" in path else "state": "failed"})

    def mark_success(self, path):
        """Call a task, named by its path in the API, a success, as a person does in the UI."""
        self.api._call("PATCH", path, json={"new_state": "success"})

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
        similar = self.api.get("assets", name_pattern=asset, limit=100)["assets"]  # a variant's too
        assets = [each["id"] for each in similar if each["name"] == asset]
        events = self.api.get("assets/events", asset_id=assets[0], limit=100, order_by="-timestamp")
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

    def query(self, text):
        """The first column of a query of Airflow's database; a kind of stack knows how to ask."""
        raise NotImplementedError

    def component_logs(self):
        """The end of each component's log, by its name; a kind of stack knows where they are."""
        raise NotImplementedError

    def diagnosis(self):
        """What the report of a failed test shows, as titles and texts: runs, failed tasks, components."""
        try:
            yield from self._diagnosed()
        except Exception as error:  # noqa: BLE001  what is wrong with the stack must not hide what failed
            yield "the stack cannot be asked", repr(error)

    def _diagnosed(self):
        unsuccessful = {"state": ["queued", "running", "failed"], "order_by": "-run_after", "limit": 20}
        runs = self.api.get("dags/~/dagRuns", **unsuccessful)["dag_runs"]
        failed = [
            f"{run['state']:8} {run['dag_id']} {run['dag_run_id']} {run['partition_key']}" for run in runs
        ]
        yield "runs that did not succeed, newest first", "\n".join(failed) or "none"
        tasks = self.api.get(
            "dags/~/dagRuns/~/taskInstances", state=["failed"], order_by="-end_date", limit=1
        )
        for task in tasks["task_instances"]:
            where = (task["dag_id"], task["dag_run_id"], task["task_id"], task["try_number"])
            events = json.loads(self.log(*where))["content"]
            yield (
                f"log of the task that failed last, {where}",
                "\n".join(str(event["event"]) for event in events),
            )
        for name, text in self.component_logs().items():
            yield f"end of the log of {name}", text

    def settle(self, dags=PIPELINE, seconds=300, waiting=0):
        """Return when some DAGs have nothing to do but `waiting` things that a pause holds, seen twice."""
        query = LEFT_TO_DO.format(dags=", ".join(f"'{dag_id}'" for dag_id in dags))
        deadline, unfinished, quiet = time.monotonic() + seconds, None, 0
        while quiet < 2:
            assert time.monotonic() < deadline, (
                f"{seconds} s were not enough to come to rest; unfinished: {unfinished}"
            )
            unfinished = self.query(query)
            quiet = quiet + 1 if len(unfinished) == waiting else 0
            time.sleep(0.3)
