"""The pipeline at a glance, as JSON: the one view that the page, `scripts/health.py` and the metrics show."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from rankalpha.airflow_api import AirflowApi
from rankalpha.pipeline import GRADING_DAG, PIPELINE, STEPS
from rankalpha.watchdog.incidents import incidents
from rankalpha.watchdog.reading import Sight, is_key, look
from rankalpha.watchdog.standing import FRONTEND, Batch

DAGS = {step.name: step.dag_id for step in STEPS} | {FRONTEND: GRADING_DAG}
HOUR = timedelta(hours=1)
TREND = 30  # runs


def overview(api: AirflowApi, days: float) -> dict[str, Any]:
    """Return how things are with the datasets and with the batches of the last days, newest first.

    Times are in UTC, ages in hours, and what is not known is None. `trends` holds the seconds of each DAG's
    newest successful runs, oldest first. It takes some twenty requests, one more for each hundred runs or
    events of a DAG. Raises as AirflowApi does.
    """
    sight = look(api, days)
    return {
        "now": sight.now.isoformat(),
        "days": days,
        "batches": [_batch(batch) for batch in sight.batches],
        "datasets": list(_datasets(api, sight)),
        "incidents": [asdict(incident) for incident in incidents(sight)],
        "trends": [{"step": step.name, "seconds": _durations(api, step.dag_id)} for step in STEPS],
        "components": {name: _text(beat) for name, beat in sight.heartbeats.items()},
    }


def _batch(batch: Batch) -> dict[str, Any]:
    return {
        "batch": batch.key,
        "begun": _text(batch.begun),
        "settled": batch.settled,
        "where": batch.where,
        "steps": [_step(batch, name) for name in batch.steps],
        "grades": batch.steps["grading"].extra.get("details") or None,
    }


def _step(batch: Batch, name: str) -> dict[str, Any]:
    one = batch.steps[name]
    return {
        "step": name,
        "dag_id": DAGS[name],
        "state": one.state,
        "since": _text(one.since),
        "run_id": one.run_id,
        "seconds": one.seconds,
        "published": _text(one.published),
        **{key: one.extra.get(key) for key in ("rows", "symbols", "as_of", "container", "forced")},
        "checks": one.extra.get("checks", []),
    }


def _datasets(api: AirflowApi, sight: Sight) -> Iterator[dict[str, Any]]:
    """Yield each dataset; it is as fresh as its newest batch, not as the last one that was run again."""
    found = {asset["name"]: asset for asset in api.every("assets", "assets", dag_ids=PIPELINE)}
    for step in STEPS:
        if step.writes not in found:
            continue  # its DAG was not parsed yet
        asset = found[step.writes]
        key, published = _newest(api, sight, step.name, asset)
        age = (sight.now - published) / HOUR if published else None
        fresh_for = asset["extra"]["fresh for hours"]
        yield {
            "name": step.writes,
            "owner": asset["extra"]["owner"],
            "description": asset["extra"]["description"],
            "fresh_for_hours": fresh_for,
            "newest_batch": key,
            "published": _text(published),
            "age_hours": age,
            "stale": age is not None and age > fresh_for,
        }


def _newest(
    api: AirflowApi, sight: Sight, step: str, asset: dict[str, Any]
) -> tuple[str | None, datetime | None]:
    """Return the newest batch in a dataset and when it was published, be it longer ago than was looked."""
    for batch in sight.batches:
        if published := batch.steps[step].published:
            return batch.key, published
    found = api.get("assets/events", asset_id=asset["id"], order_by="-timestamp", limit=1)["asset_events"]
    for event in found:
        key = event["partition_key"]
        return key if key and is_key(key) else None, datetime.fromisoformat(event["timestamp"])
    return None, None


def _durations(api: AirflowApi, dag_id: str) -> list[float]:
    newest = {"order_by": "-run_after", "limit": TREND}
    runs = api.get(f"dags/{dag_id}/dagRuns", state=["success"], **newest)["dag_runs"]
    return [run["duration"] for run in reversed(runs)]


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
