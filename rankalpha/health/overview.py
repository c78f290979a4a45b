"""The pipeline at a glance, as JSON: what the page, `rankalpha health` and the metrics show."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rankalpha.airflow_api import AirflowApi
from rankalpha.health.batch_overview import overview_of, text
from rankalpha.health.diagnosis import incidents
from rankalpha.health.freshness import datasets, session
from rankalpha.health.snapshot import Snapshot, snapshots
from rankalpha.pipeline.pipelines import Pipeline, pipelines

TREND = 30  # runs


def overview(api: AirflowApi, days: float, pipeline: Pipeline) -> dict[str, Any]:
    """Return the state of a market's datasets and of its batches of the last days, newest first.

    Times are in UTC, ages in hours, and what is not known is None. `session` is which session the newest
    grades are of, see `rankalpha.pipeline.sessions`. `trends` holds the seconds of each DAG's
    newest successful runs, oldest first. It takes about fifteen requests, and one more for each hundred runs
    or events of the market. Raises as AirflowApi does.
    """
    (snapshot,) = snapshots(api, days, [pipeline])
    trends = {step.name: _durations(api, step.dag_id) for step in pipeline.steps}
    return _overview(api, days, snapshot, trends)


def overviews(api: AirflowApi, days: float) -> list[dict[str, Any]]:
    """Return the overviews of all markets.

    With several markets, `trends` holds only runs of the batches of these days, so that the number of
    requests does not grow with the number of markets.
    """
    if len(pipelines()) == 1:
        return [overview(api, days, pipelines()[0])]
    return [
        _overview(api, days, snapshot, _durations_of_batches(snapshot))
        for snapshot in snapshots(api, days, pipelines())
    ]


def _overview(
    api: AirflowApi, days: float, snapshot: Snapshot, trends: Mapping[str, list[float]]
) -> dict[str, Any]:
    market = snapshot.pipeline.market
    return {
        "now": snapshot.now.isoformat(),
        "days": days,
        "market": {"name": market.name, "starts": market.when, "ingestion": snapshot.pipeline.ingestion},
        "session": session(snapshot),
        "batches": [overview_of(snapshot.pipeline, batch, snapshot.now) for batch in snapshot.batches],
        "datasets": list(datasets(api, snapshot)),
        "incidents": [asdict(incident) for incident in incidents(snapshot)],
        "trends": [{"step": name, "seconds": seconds} for name, seconds in trends.items()],
        "components": {name: text(beat) for name, beat in snapshot.heartbeats.items()},
    }


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
