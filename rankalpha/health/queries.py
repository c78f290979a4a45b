"""Asks Airflow's public API about the pipelines, with one request for the DAGs of all markets."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from http.client import FORBIDDEN
from typing import Any

from rankalpha.airflow_api import AirflowApi, AirflowApiError
from rankalpha.pipeline.batch import SUPERSEDED, is_key, is_trial, parse_key
from rankalpha.pipeline.pipelines import Pipeline
from rankalpha.pipeline.sessions import MarketDay

PUBLICATIONS = 20  # that are looked at for the closes of the coming sessions

Run = dict[str, Any]  # as the API gives it
Assets = Mapping[str, Mapping[str, Any]]  # Airflow's own, by name
ByBatch = dict[str, dict[str, list[dict[str, Any]]]]  # runs by DAG, or events by dataset, then by batch


def dags(api: AirflowApi, pipelines: Sequence[Pipeline]) -> dict[str, dict[str, Any]]:
    """Return the DAGs by their ids."""
    return {dag["dag_id"]: dag for dag in api.every("dags", "dags", dag_id_pattern=_pattern(pipelines))}


def assets(api: AirflowApi, pipelines: Sequence[Pipeline]) -> Assets:
    """Return the assets; those of one pipeline alone when there is but one."""
    only = {"dag_ids": pipelines[0].dag_ids} if len(pipelines) == 1 else {}
    return {asset["name"]: asset for asset in api.every("assets", "assets", **only)}


def following(assets: Assets) -> dict[str, datetime]:
    """Return since when each DAG follows all of its datasets."""
    since: dict[str, datetime] = {}
    for asset in assets.values():
        for dag in asset["scheduled_dags"]:
            begun = datetime.fromisoformat(dag["created_at"])
            since[dag["dag_id"]] = max(begun, since.get(dag["dag_id"], begun))
    return since


def runs(api: AirflowApi, since: datetime, pipelines: Sequence[Pipeline]) -> list[Run]:
    """Return the runs that have changed since then, oldest first."""
    filters = {"dag_id_pattern": _pattern(pipelines), "updated_at_gte": since.isoformat()}
    return list(_runs(api, **filters))


def events(api: AirflowApi, since: datetime, pipelines: Sequence[Pipeline]) -> ByBatch:
    """Return what was published since then, the events of a dataset and a batch oldest first."""
    events: ByBatch = defaultdict(lambda: defaultdict(list))
    filters = {"timestamp_gte": since.isoformat()}
    if len(pipelines) == 1:
        filters["name_prefix_pattern"] = "|".join(step.writes for step in pipelines[0].steps)
    for event in api.every("assets/events", "asset_events", order_by="timestamp", **filters):
        if event["partition_key"]:
            events[event["name"]][event["partition_key"]].append(event)
    return events


def published(api: AirflowApi, since: datetime, wanted: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return which of the wanted (a dataset and a batch) were published since then, oldest events first."""
    missing, names = set(wanted), "|".join(sorted({name for name, _ in wanted}))
    filters = {"timestamp_gte": since.isoformat(), "name_prefix_pattern": names, "order_by": "timestamp"}
    for event in api.every("assets/events", "asset_events", **filters):
        missing.discard((event["name"], event["partition_key"]))
        if not missing:
            break
    return set(wanted) - missing


def started(api: AirflowApi, since: datetime, pipelines: Sequence[Pipeline]) -> dict[str, datetime]:
    """Return when the newest ingestion of each pipeline was due, where that is not before `since`."""
    filters = {"dag_id_pattern": _pattern(pipelines, "ingestion"), "run_after_gte": since.isoformat()}
    return {run["dag_id"]: datetime.fromisoformat(run["run_after"]) for run in _runs(api, **filters)}


def _runs(api: AirflowApi, **filters: Any) -> Iterator[Run]:
    """Yield runs, the one that was due first first; none that is a trial."""
    for run in api.every("dags/~/dagRuns", "dag_runs", order_by="run_after", **filters):
        if not is_trial(run):
            yield run


def market_days(api: AirflowApi, prices: str) -> list[tuple[datetime, MarketDay]]:
    """Return what the newest publications of a dataset of prices say of sessions, newest batch first."""
    filters = {"name_prefix_pattern": prices, "order_by": "-timestamp", "limit": PUBLICATIONS}
    events = api.get("assets/events", **filters)["asset_events"]
    known = {
        parse_key(event["partition_key"]): day
        for event in reversed(events)
        if event["name"] == prices
        and is_key(event["partition_key"] or "")
        and (day := MarketDay.of(event["extra"] or {}))
    }
    return sorted(known.items(), reverse=True)


def left_out(api: AirflowApi, since: datetime) -> Mapping[str, Mapping[str, datetime]]:
    """Return by batch which DAGs left it out, and when; empty for a user who may not read the audit log."""
    left_out: dict[str, dict[str, datetime]] = defaultdict(dict)
    try:
        for entry in api.every(
            "eventLogs", "event_logs", event=SUPERSEDED, after=since.isoformat(), order_by="when"
        ):
            left_out[entry["extra"].split()[0]][entry["dag_id"]] = datetime.fromisoformat(entry["when"])
    except AirflowApiError as error:
        if error.status != FORBIDDEN:
            raise
    return left_out


def up_since(api: AirflowApi) -> datetime | None:
    """Return when the longest-running scheduler was started; None when none is alive."""
    jobs = api.get("jobs", job_type="SchedulerJob", is_alive=True, order_by="start_date", limit=1)["jobs"]
    return datetime.fromisoformat(jobs[0]["start_date"]) if jobs else None


def heartbeats(api: AirflowApi) -> dict[str, datetime | None]:
    """Return the newest heartbeats of Airflow's components; None for a component that has sent none."""
    components = ("scheduler", "triggerer", "dag_processor")
    health = api.get("monitor/health")
    beats = {name: (health.get(name) or {}).get(f"latest_{name}_heartbeat") for name in components}
    return {name: datetime.fromisoformat(beat) if beat else None for name, beat in beats.items()}


def _pattern(pipelines: Sequence[Pipeline], *steps: str) -> str:
    """Return a pattern that matches the pipelines' DAGs, and maybe others: `|` is or, `%` any text."""
    if len(pipelines) > 1:
        every = dict.fromkeys(step for pipeline in pipelines for step in pipeline.by_step)
        return "|".join(f"rankalpha%{step}" for step in steps or every)
    return "|".join(pipelines[0].by_step[step] for step in steps or pipelines[0].by_step)
