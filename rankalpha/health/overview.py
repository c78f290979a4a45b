"""The pipeline at a glance, as JSON: what the page, `rankalpha health` and the metrics show."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from rankalpha.airflow_api import AirflowApi
from rankalpha.health.batch_overview import overview_of, text
from rankalpha.health.diagnosis import incidents
from rankalpha.health.snapshot import Snapshot, snapshots
from rankalpha.pipeline.batch import is_key
from rankalpha.pipeline.pipelines import Pipeline, pipelines

HOUR = timedelta(hours=1)
TREND = 30  # runs


Assets = Mapping[str, Mapping[str, Any]]  # Airflow's own, by name


def overview(api: AirflowApi, days: float, pipeline: Pipeline) -> dict[str, Any]:
    """Return the state of a market's datasets and of its batches of the last days, newest first.

    Times are in UTC, ages in hours, and what is not known is None. `trends` holds the seconds of each DAG's
    newest successful runs, oldest first. It takes about fifteen requests, and one more for each hundred runs
    or events of the market. Raises as AirflowApi does.
    """
    (snapshot,) = snapshots(api, days, [pipeline])
    assets = {asset["name"]: asset for asset in api.every("assets", "assets", dag_ids=pipeline.dag_ids)}
    trends = {step.name: _durations(api, step.dag_id) for step in pipeline.steps}
    return _overview(api, days, snapshot, assets, trends)


def overviews(api: AirflowApi, days: float) -> list[dict[str, Any]]:
    """Return the overviews of all markets.

    With several markets, `trends` holds only runs of the batches of these days, so that the number of
    requests does not grow with the number of markets.
    """
    if len(pipelines()) == 1:
        return [overview(api, days, pipelines()[0])]
    assets = {asset["name"]: asset for asset in api.every("assets", "assets")}
    return [
        _overview(api, days, snapshot, assets, _durations_of_batches(snapshot))
        for snapshot in snapshots(api, days, pipelines())
    ]


def _overview(
    api: AirflowApi, days: float, snapshot: Snapshot, assets: Assets, trends: Mapping[str, list[float]]
) -> dict[str, Any]:
    market = snapshot.pipeline.market
    return {
        "now": snapshot.now.isoformat(),
        "days": days,
        "market": {"name": market.name, "starts": market.when, "ingestion": snapshot.pipeline.ingestion},
        "batches": [overview_of(snapshot.pipeline, batch) for batch in snapshot.batches],
        "datasets": list(_datasets(api, snapshot, assets)),
        "incidents": [asdict(incident) for incident in incidents(snapshot)],
        "trends": [{"step": name, "seconds": seconds} for name, seconds in trends.items()],
        "components": {name: text(beat) for name, beat in snapshot.heartbeats.items()},
    }


def _datasets(api: AirflowApi, snapshot: Snapshot, assets: Assets) -> Iterator[dict[str, Any]]:
    """Yield each dataset; it is as fresh as its newest batch, not as a batch that was run again last."""
    for step in snapshot.pipeline.steps:
        if step.writes not in assets:
            continue  # its DAG was not parsed yet
        asset = assets[step.writes]
        key, published = _newest(api, snapshot, step.name, asset)
        age = (snapshot.now - published) / HOUR if published else None
        fresh_for = asset["extra"]["fresh for hours"]
        yield {
            "name": step.writes,
            "step": step.name,
            "owner": asset["extra"]["owner"],
            "description": asset["extra"]["description"],
            "fresh_for_hours": fresh_for,
            "newest_batch": key,
            "published": text(published),
            "age_hours": age,
            "stale": age is not None and age > fresh_for,
        }


def _newest(
    api: AirflowApi, snapshot: Snapshot, step: str, asset: Mapping[str, Any]
) -> tuple[str | None, datetime | None]:
    """Return the newest batch in a dataset and when it was published, however long ago."""
    for batch in snapshot.batches:
        if published := batch.steps[step].published:
            return batch.key, published
    newest = {"asset_id": asset["id"], "order_by": "-timestamp", "limit": 1}
    for event in api.get("assets/events", **newest)["asset_events"]:
        key = event["partition_key"]
        return key if key and is_key(key) else None, datetime.fromisoformat(event["timestamp"])
    return None, None


def _durations(api: AirflowApi, dag_id: str) -> list[float]:
    newest = {"order_by": "-run_after", "limit": TREND}
    runs = api.get(f"dags/{dag_id}/dagRuns", state=["success"], **newest)["dag_runs"]
    # a run that was marked as a success before it ran has no duration
    return [run["duration"] for run in reversed(runs) if run["duration"] is not None]


def _durations_of_batches(snapshot: Snapshot) -> dict[str, list[float]]:
    """Return the durations of the steps that the snapshot's batches have published."""
    return {
        step.name: [
            standing.seconds
            for batch in reversed(snapshot.batches)
            if (standing := batch.steps[step.name]).state == "done" and standing.seconds is not None
        ]
        for step in snapshot.pipeline.steps
    }
