"""Reads from Airflow's public API what the watchdog has to know."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import FORBIDDEN
from typing import Any

from rankalpha.after_pause import SUPERSEDED
from rankalpha.airflow_api import AirflowApi, AirflowApiError
from rankalpha.batch import BatchError, parse_key
from rankalpha.monitor import batch_of_run
from rankalpha.pipeline import INGESTION_DAG, STEPS
from rankalpha.watchdog.standing import Batch, Seen, batch_of
from rankalpha.watchdog.told import Told, every


@dataclass(frozen=True)
class Sight:
    """The pipeline at one moment, with the batches newest first.

    `due` is when the day's batch had to start, `started` when the newest ingestion was due, and `up` since
    when there is a scheduler; `heartbeats` are those of Airflow's components, None for one that is missing.
    `told` is what people were told of, see there; none to a user who may not see Variables.
    """

    now: datetime
    batches: Sequence[Batch]
    paused: Sequence[str]
    due: datetime
    started: datetime | None
    up: datetime | None
    heartbeats: Mapping[str, datetime | None]
    told: Sequence[Told] = ()


def look(api: AirflowApi, days: float) -> Sight:
    """Return how things are with the batches of the last days; raises as AirflowApi does."""
    now = datetime.now(UTC)
    since = (now - timedelta(days=days)).isoformat()
    paused = [dag["dag_id"] for dag in api.every("dags", "dags", tags=["rankalpha"]) if dag["is_paused"]]
    runs: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    events: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for step in STEPS:
        for run in api.every(
            f"dags/{step.dag_id}/dagRuns", "dag_runs", updated_at_gte=since, order_by="run_after"
        ):
            key = batch_of_run(run) if step.dag_id == INGESTION_DAG else run["partition_key"]
            if key:  # a stage that was triggered without one is known by its event
                runs[key][step.dag_id].append(run)
        asset_events = api.every(
            "assets/events",
            "asset_events",
            name_pattern=step.writes,
            timestamp_gte=since,
            order_by="timestamp",
        )
        for event in asset_events:
            if event["name"] == step.writes and event["partition_key"]:
                events[event["partition_key"]][step.writes].append(event)
    left_out = _left_out(api, since)
    batches = [
        batch_of(key, Seen(runs[key], events[key], left_out.get(key, {})), paused)
        for key in sorted({*runs, *events}, reverse=True)
        if is_key(key)
    ]
    due = datetime.fromisoformat(api.get(f"dags/{INGESTION_DAG}")["next_dagrun_run_after"])
    due -= timedelta(days=1) * (due > now)
    newest = api.get(f"dags/{INGESTION_DAG}/dagRuns", order_by="-run_after", limit=1)["dag_runs"]
    return Sight(
        now=now,
        batches=batches,
        paused=paused,
        due=due,
        started=datetime.fromisoformat(newest[0]["run_after"]) if newest else None,
        up=_up_since(api),
        heartbeats=_heartbeats(api),
        told=every(api),
    )


def _left_out(api: AirflowApi, since: str) -> Mapping[str, Mapping[str, datetime]]:
    """Return when which DAG was to leave out a batch: nothing, for a user who may not read the audit log."""
    found: dict[str, dict[str, datetime]] = defaultdict(dict)
    try:
        for entry in api.every("eventLogs", "event_logs", event=SUPERSEDED, after=since, order_by="when"):
            found[entry["extra"].split()[0]][entry["dag_id"]] = datetime.fromisoformat(entry["when"])
    except AirflowApiError as error:
        if error.status != FORBIDDEN:
            raise
    return found


def _up_since(api: AirflowApi) -> datetime | None:
    jobs = api.get("jobs", job_type="SchedulerJob", is_alive=True, order_by="start_date", limit=1)["jobs"]
    return datetime.fromisoformat(jobs[0]["start_date"]) if jobs else None


def _heartbeats(api: AirflowApi) -> dict[str, datetime | None]:
    components = ("scheduler", "triggerer", "dag_processor")
    health = api.get("monitor/health")
    beats = {name: (health.get(name) or {}).get(f"latest_{name}_heartbeat") for name in components}
    return {name: datetime.fromisoformat(beat) if beat else None for name, beat in beats.items()}


def is_key(key: str) -> bool:
    """Tell whether a partition key is that of a batch; people may publish with any."""
    try:
        parse_key(key)
    except BatchError:
        return False
    return True
