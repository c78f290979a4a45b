"""How things are with the pipelines, as Airflow's public API tells it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from rankalpha.airflow_api import AirflowApi, is_held
from rankalpha.alerts.sent import Told, every
from rankalpha.health import queries
from rankalpha.health.queries import Found
from rankalpha.health.standing import Batch, Seen, batch_of
from rankalpha.pipeline.batch import is_key
from rankalpha.pipeline.pipelines import Pipeline


@dataclass(frozen=True)
class Sight:
    """A pipeline at one moment, with the batches newest first.

    `due` is when the day's batch had to start, `started` when the newest ingestion since then was due, and
    `up` since when there is a scheduler; `heartbeats` are those of Airflow's components, None for one that is
    missing. `told` is what people were told of, see there; none to a user who may not see Variables.
    """

    pipeline: Pipeline
    now: datetime
    batches: Sequence[Batch]
    paused: Sequence[str]
    due: datetime
    started: datetime | None
    up: datetime | None
    heartbeats: Mapping[str, datetime | None]
    told: Sequence[Told] = ()


def look(api: AirflowApi, days: float, pipelines: Sequence[Pipeline]) -> list[Sight]:
    """Return how things are with the pipelines' batches of the last days; raises as AirflowApi does.

    It takes eight requests, and one more for each hundred DAGs, runs or events.
    """
    now = datetime.now(UTC)
    since = now - timedelta(days=days)
    dags = queries.dags(api, pipelines)
    due = {one.ingestion: _due(one, dags, now) for one in pipelines}
    started = queries.started(api, min(due.values()), pipelines)
    paused = [dag_id for dag_id, dag in dags.items() if dag["is_paused"]]
    draining = [dag_id for dag_id, dag in dags.items() if is_held(dag) and dag_id not in paused]
    found = queries.runs(api, since, pipelines), queries.events(api, since, pipelines)
    left_out = queries.left_out(api, since)
    sight = partial(
        Sight,
        now=now,
        paused=paused,
        up=queries.up_since(api),
        heartbeats=queries.heartbeats(api),
        told=every(api),
    )
    return [
        sight(
            pipeline=one,
            batches=_batches(one, *found, left_out, paused, draining),
            due=due[one.ingestion],
            started=started.get(one.ingestion),
        )
        for one in pipelines
    ]


def _batches(
    one: Pipeline,
    runs: Found,
    events: Found,
    left_out: Mapping[str, Mapping[str, datetime]],
    paused: Sequence[str],
    draining: Sequence[str],
) -> list[Batch]:
    """Return where the batches of a pipeline stand, newest first."""
    mine = {dag_id: runs[dag_id] for dag_id in one.dag_ids}
    published = {step.writes: events[step.writes] for step in one.steps}
    keys = {key for found in (*mine.values(), *published.values()) for key in found if is_key(key)}
    return [
        batch_of(one, key, Seen(_of(mine, key), _of(published, key), left_out.get(key, {})), paused, draining)
        for key in sorted(keys, reverse=True)
    ]


def _of(found: Found, key: str) -> dict[str, list[dict[str, Any]]]:
    return {name: by_key[key] for name, by_key in found.items() if key in by_key}


def _due(one: Pipeline, dags: Mapping[str, Mapping[str, Any]], now: datetime) -> datetime:
    """Return when the newest batch had to start; a scheduler that is behind says that itself."""
    coming = dags.get(one.ingestion, {}).get("next_dagrun_run_after")
    overdue = datetime.fromisoformat(coming) if coming else now
    return overdue if overdue < now else one.market.due(now)
