"""The state of the pipelines at one moment, as Airflow's public API reports it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from rankalpha.airflow_api import AirflowApi, is_held
from rankalpha.alerts.incident import Incident
from rankalpha.alerts.sent import SentAlert, all_sent
from rankalpha.health import beside, queries
from rankalpha.health.left import with_held
from rankalpha.health.queries import Assets, ByBatch, Run
from rankalpha.health.records import Records, batch_of
from rankalpha.health.run_batches import attributed
from rankalpha.health.standing import Batch
from rankalpha.pipeline.batch import is_key
from rankalpha.pipeline.pipelines import Pipeline
from rankalpha.pipeline.sessions import MarketDay
from rankalpha.pipeline.steps import SHAPE


@dataclass(frozen=True)
class Snapshot:
    """A pipeline at one moment, with the batches newest first.

    `due` is when the day's batch had to start, `started` when the newest ingestion since then was due, and
    `up` since when there is a scheduler. `heartbeats` are those of Airflow's components, None for a component
    without any. `sent` are the stored alerts.
    `strays` are runs of no batch that are not over, see `rankalpha.health.run_batches`, and `beside` what
    fails beside the pipelines, see `rankalpha.health.beside`. `days` are the market's days by batch, newest
    first, of a market with a limit in sessions. `assets` are Airflow's own.
    """

    pipeline: Pipeline
    now: datetime
    batches: Sequence[Batch]
    paused: Sequence[str]
    due: datetime
    started: datetime | None
    up: datetime | None
    heartbeats: Mapping[str, datetime | None]
    sent: Sequence[SentAlert] = ()
    strays: Sequence[Run] = ()
    beside: Sequence[Incident] = ()
    days: Sequence[tuple[datetime, MarketDay]] = ()
    assets: Assets = field(default_factory=dict)


def snapshots(api: AirflowApi, days: float, pipelines: Sequence[Pipeline]) -> list[Snapshot]:
    """Return the state of the pipelines and their batches of the last days; raises as AirflowApi does.

    It takes ten requests, and one more for each hundred DAGs, runs or events; up to four more for each
    failed run that counts, and one for each task beside the pipelines that fails, and one for each market
    with a limit in sessions.
    """
    now = datetime.now(UTC)
    since = now - timedelta(days=days)
    dags = queries.dags(api, pipelines)
    due = {pipeline.ingestion: _due(pipeline, dags, now) for pipeline in pipelines}
    started = queries.started(api, min(due.values()), pipelines)
    paused = [dag_id for dag_id, dag in dags.items() if dag["is_paused"]]
    draining = [dag_id for dag_id, dag in dags.items() if is_held(dag) and dag_id not in paused]
    found = queries.runs(api, since, pipelines)  # before the events: what a run has published is among these
    events = queries.events(api, since, pipelines)
    runs = attributed(api, found, events, pipelines)
    left_out, assets = queries.left_out(api, since), queries.assets(api, pipelines)
    following = queries.following(assets)
    snapshot = partial(
        Snapshot,
        now=now,
        paused=paused,
        up=queries.up_since(api),
        heartbeats=queries.heartbeats(api),
        sent=(sent := all_sent(api)),
        beside=list(beside.lasting(api, sent)),
        assets=assets,
    )
    return [
        snapshot(
            pipeline=pipeline,
            batches=[
                with_held(api, batch, pipeline, runs.by_batch)
                for batch in _batches(pipeline, runs.by_batch, events, left_out, following, paused, draining)
            ],
            strays=[run for run in runs.strays if run["dag_id"] in pipeline.dag_ids],
            due=due[pipeline.ingestion],
            started=started.get(pipeline.ingestion),
            days=_days(api, pipeline),
        )
        for pipeline in pipelines
    ]


def _batches(
    pipeline: Pipeline,
    runs: ByBatch,
    events: ByBatch,
    left_out: Mapping[str, Mapping[str, datetime]],
    following: Mapping[str, datetime],
    paused: Sequence[str],
    draining: Sequence[str],
) -> list[Batch]:
    """Return where the batches of a pipeline stand, newest first."""
    own_runs = {dag_id: runs[dag_id] for dag_id in pipeline.dag_ids}
    own_events = {step.writes: events[step.writes] for step in pipeline.steps}
    keys = {key for by_key in (*own_runs.values(), *own_events.values()) for key in by_key if is_key(key)}
    return [
        batch_of(
            pipeline,
            key,
            Records(_of(own_runs, key), _of(own_events, key), left_out.get(key, {}), following),
            paused,
            draining,
        )
        for key in sorted(keys, reverse=True)
    ]


def _days(api: AirflowApi, pipeline: Pipeline) -> list[tuple[datetime, MarketDay]]:
    market = pipeline.market
    return queries.market_days(api, market.dataset_name(SHAPE[0].writes)) if market.counts_sessions else []


def _of(records: ByBatch, key: str) -> dict[str, list[dict[str, Any]]]:
    return {name: by_key[key] for name, by_key in records.items() if key in by_key}


def _due(pipeline: Pipeline, dags: Mapping[str, Mapping[str, Any]], now: datetime) -> datetime:
    """Return when the newest batch had to start; the DAG itself shows it while the scheduler is behind."""
    coming = dags.get(pipeline.ingestion, {}).get("next_dagrun_run_after")
    overdue = datetime.fromisoformat(coming) if coming else now
    return overdue if overdue < now else pipeline.market.due(now)
