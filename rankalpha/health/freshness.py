"""How fresh the datasets are, and which session the newest grades are of: parts of the overview, as JSON."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from rankalpha.airflow_api import AirflowApi
from rankalpha.health.batch_overview import text
from rankalpha.health.snapshot import Snapshot
from rankalpha.pipeline.batch import is_key
from rankalpha.pipeline.market import Market
from rankalpha.pipeline.sessions import MarketDay, carried_over
from rankalpha.pipeline.steps import GRADING

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def datasets(api: AirflowApi, snapshot: Snapshot) -> Iterator[dict[str, Any]]:
    """Yield each dataset; it is as fresh as its newest batch, not as a batch that was run again last.

    It is stale when a session that its newest batch lacks closed longer ago than it is fresh for. The dataset
    of an optional step is never stale while its DAG is paused, because pausing it means doing without it.
    """
    for step in snapshot.pipeline.steps:
        if step.writes not in snapshot.assets:
            continue  # its DAG was not parsed yet
        asset = snapshot.assets[step.writes]
        key, published = _newest(api, snapshot, step.name, asset)
        age = (snapshot.now - published) / HOUR if published else None
        fresh_for = asset["extra"]["fresh for hours"]
        day = next((batch.day for batch in snapshot.batches if batch.key == key), None)
        wanted = not step.optional or step.dag_id not in snapshot.paused
        stale_at = _stale_at(snapshot.pipeline.market, day, published, fresh_for * HOUR) if wanted else None
        yield {
            "name": step.writes,
            "dataset": step.output,
            "asset_id": asset["id"],
            "step": step.name,
            "owner": asset["extra"]["owner"],
            "description": asset["extra"]["description"],
            "fresh_for_hours": fresh_for,
            "newest_batch": key,
            "published": text(published),
            "age_hours": age,
            "session": {**day.described(snapshot.now), "text": day.standing(snapshot.now)} if day else None,
            "stale_at": text(stale_at),
            "stale": stale_at is not None and snapshot.now > stale_at,
        }


def session(snapshot: Snapshot) -> dict[str, Any] | None:
    """Return which session the newest grades are of, and whether that is the newest there can be by now.

    None when no batch of these days is graded.
    """
    graded = (batch for batch in snapshot.batches if batch.steps[GRADING.name].published)
    batch = next(graded, None)
    if batch is None or batch.day is None:
        return None
    day, now = batch.day, snapshot.now
    missing = day.behind_at(now)
    return {
        **day.described(now),
        "batch": batch.key,
        "behind": missing,
        "current": None if day.session is None else missing == 0,
        "text": day.text(now),
        "carried_over_from": batch.carried_over_from,
        "news": carried_over(batch.carried_over_from, day),
    }


def _stale_at(
    market: Market, day: MarketDay | None, published: datetime | None, fresh_for: timedelta
) -> datetime | None:
    """Return when a dataset is stale, by the session that its newest batch is of if that is known.

    Without one it is fresh for as much longer as its market's schedule rests, such as over a weekend.
    """
    if published is None:
        return None
    if day and day.session:
        return day.stale_at(published, fresh_for)
    rest = market.next_due(published) - published - DAY
    return published + fresh_for + max(rest, timedelta())


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
