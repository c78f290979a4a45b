"""The few endpoints of Airflow's API that the start-up trigger speaks to, in memory behind a real server."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

from rankalpha.airflow_api import AirflowApi
from rankalpha.pipeline.market import Market
from rankalpha.pipeline.pipelines import CONSUMER_DAGS, INGESTION_DAG, PIPELINE, Pipeline
from tests.support.http_server import Answer, Request, local_server

USER = {"username": "rankalpha", "password": "sesame"}


class FakeAirflow:
    """Healthy, with all four DAGs and no run; tests change what they are about."""

    def __init__(self) -> None:
        self.token = "token-1"
        self.health: dict[str, str | None] = {
            "metadatabase": "healthy",
            "scheduler": "healthy",
            "triggerer": "healthy",
        }
        self.import_errors: list[dict[str, str]] = []
        self.dags = {dag: {"dag_id": dag, "is_paused": False} for dag in PIPELINE}
        self.unwritten: set[str] = set()  # listed, but not to be read yet
        self.due = datetime.now(UTC) + timedelta(hours=5)
        self.runs: dict[str, list[dict[str, Any]]] = {dag: [] for dag in PIPELINE}
        self.events: list[dict[str, Any]] = []  # of datasets, newest first
        self.lock = Lock()
        self.trouble: list[Answer] = []  # answered first, one a request
        self.on_look: Callable[[], None] = lambda: None  # called at each look at a run's tasks

    @property
    def due(self) -> datetime:
        """When the next scheduled ingestion is due, a full minute."""
        return self._due

    @due.setter
    def due(self, moment: datetime) -> None:
        self._due = moment.replace(second=0, microsecond=0)

    @property
    def pipeline(self) -> Pipeline:
        """The default pipeline, with a schedule of each day at the time of `due`."""
        return Pipeline.of(Market(schedule=f"{self.due.minute} {self.due.hour} * * *"))

    def add(self, dag_id: str, state: str, batch: str | None, hours_ago: float = 0) -> dict[str, Any]:
        """Add a run that became due `hours_ago`."""
        moment = datetime.now(UTC) - timedelta(hours=hours_ago)
        run = {"dag_run_id": f"run-{len(self.runs[dag_id])}", "state": state, "partition_key": batch}
        run |= {"dag_id": dag_id, "run_type": "manual"}
        run |= {"run_after": moment.isoformat(), "logical_date": None, "conf": {}}
        self.runs[dag_id].append(run)
        return run

    def answer(self, request: Request) -> Answer:
        if self.trouble:
            return self.trouble.pop(0)
        if request.path == "/auth/token":
            return (201, {"access_token": self.token}) if request.json() == USER else (401, {"detail": "no"})
        if request.headers["authorization"] != f"Bearer {self.token}":
            return 401, {"detail": "Invalid or expired token"}
        return self._route(request, request.path.removeprefix("/api/v2/").split("/"))

    def _route(self, request: Request, parts: list[str]) -> Answer:  # noqa: C901, PLR0911  one a route
        match [request.method, *parts]:
            case ["GET", "monitor", "health"]:
                return 200, {name: status and {"status": status} for name, status in self.health.items()}
            case ["GET", "importErrors"]:
                return 200, {"import_errors": self.import_errors}
            case ["GET", "assets", "events"]:
                return 200, {"asset_events": self.events}
            case ["GET", "dags"]:
                return 200, {"dags": list(self.dags.values())}
            case ["GET", "dags", dag_id] if dag_id in self.dags:
                return 200, {**self.dags[dag_id], "next_dagrun_run_after": self.due.isoformat()}
            case ["GET", "dags", dag_id, "details"] if dag_id in self.dags and dag_id not in self.unwritten:
                return 200, self.dags[dag_id]
            case ["GET", "dags", dag_id, "dagRuns"]:
                return 200, {"dag_runs": self._filtered(dag_id, request.query)}
            case ["POST", "dags", dag_id, "dagRuns"]:
                return self._triggered(dag_id, request.json())
            case ["GET", "dags", dag_id, "dagRuns", run_id]:
                return 200, next(run for run in self.runs[dag_id] if run["dag_run_id"] == run_id)
            case ["GET", "dags", dag_id, "dagRuns", run_id, "taskInstances"]:
                self.on_look()
                run = next(run for run in self.runs[dag_id] if run["dag_run_id"] == run_id)
                return 200, {"task_instances": run.get("tasks", [])}
        return 404, {"detail": f"no {request.path}"}

    def _triggered(self, dag_id: str, body: dict[str, Any]) -> Answer:
        with self.lock:
            if body.get("dag_run_id") in {run["dag_run_id"] for run in self.runs[dag_id]}:
                return 409, {"detail": "there is one"}
            run = self.add(dag_id, "queued", body["partition_key"])
        run |= body
        return 200, run

    def _filtered(self, dag_id: str, query: dict[str, list[str]]) -> list[dict[str, Any]]:
        """Filter, sort and limit as Airflow 3.3 does."""
        query = dict(query)
        assert query.pop("order_by") == ["-run_after"]
        limit = int(query.pop("limit")[0])
        states, (since,) = query.pop("state", None), query.pop("run_after_gte", ["0001-01-01T00:00:00+00:00"])
        (prefix,) = query.pop("partition_key_prefix_pattern", [""])
        (run_id,) = query.pop("run_id_prefix_pattern", [""])
        assert query == {}, f"unknown filters {query}"
        found = [
            run
            for run in self.runs[dag_id]
            if (states is None or run["state"] in states)
            and datetime.fromisoformat(run["run_after"]) >= datetime.fromisoformat(since)
            and (run["partition_key"] or "").startswith(prefix)
            and run["dag_run_id"].startswith(run_id)
        ]
        return sorted(found, key=lambda run: run["run_after"], reverse=True)[:limit]


def task(
    task_id: str, state: str | None, try_number: int = 1, duration: float | None = None
) -> dict[str, Any]:
    """Return a task instance as the API shows it."""
    started = None if state is None else "2025-11-20T06:00:00Z"
    return {
        "task_id": task_id,
        "state": state,
        "try_number": try_number,
        "duration": duration,
        "start_date": started,
    }


@contextmanager
def serving(airflow: FakeAirflow, password: str = "sesame") -> Iterator[tuple[AirflowApi, list[Request]]]:
    """Serve `airflow`; give a client of it and the requests that it has received."""
    with local_server(airflow.answer) as (url, requests):
        yield AirflowApi(f"{url}/", USER["username"], password), requests


__all__ = ["CONSUMER_DAGS", "INGESTION_DAG", "FakeAirflow", "serving", "task"]
