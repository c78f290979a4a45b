"""Metrics from the overview. Labels are steps, datasets, states and the like, never batches or runs.

Moments are in seconds since 1970, because `time() - …` is the right age between two scrapes too.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, get_args

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from rankalpha.health.standing import FRONTEND, State
from rankalpha.health.summary import durations, outputs
from rankalpha.pipeline.batch import parse_key
from rankalpha.web.metrics.gauge import by_market, gauge, seconds
from rankalpha.web.metrics.stages import containers, datasets, quality, reused, sessions, spending


class Overviews(Collector):
    """The metric families of the overviews of one or more markets."""

    def __init__(self, overviews: Sequence[dict[str, Any]]) -> None:
        self._overviews = overviews

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """See prometheus_client."""
        of_no_market = {**self._overviews[0], "market": {"name": ""}}
        for families in (_batches, _runs, datasets, sessions, spending, quality, containers, reused):
            yield from by_market(families, self._overviews)
        yield from by_market(_incidents, [of_no_market, *self._overviews])
        yield from _components(of_no_market)


def registry(overviews: Sequence[dict[str, Any]]) -> CollectorRegistry:
    """Return a new registry with the metrics of the markets' overviews."""
    registry = CollectorRegistry()
    registry.register(Overviews(overviews))
    return registry


def _batches(overview: dict[str, Any]) -> Iterator[GaugeMetricFamily]:
    states = Counter(
        (step["step"], step["state"]) for batch in overview["batches"] for step in batch["steps"]
    )
    pairs = product((*outputs(overview), FRONTEND), get_args(State))
    yield gauge(
        "batches",
        "Batches of the last days, by the state of each step.",
        [((step, state), states[step, state]) for step, state in pairs],
        ("step", "state"),
    )
    graded = [dataset["newest_batch"] for dataset in overview["datasets"] if dataset["step"] == "grading"]
    yield gauge(
        "last_graded_batch_timestamp_seconds",
        "Key of the newest graded batch: when its ingestion was due.",
        [((), parse_key(key).timestamp()) for key in graded if key],
    )


def _runs(overview: dict[str, Any]) -> Iterator[GaugeMetricFamily]:
    runs = list(durations(overview))
    yield gauge(
        "run_duration_seconds",
        "How long the newest successful run of a step's DAG took.",
        [((run["step"],), run["seconds"]) for run in runs],
        ("step",),
    )
    yield gauge(
        "run_duration_median_seconds",
        "Median of the successful runs before it, at most 29.",
        [((run["step"],), run["median_seconds"]) for run in runs],
        ("step",),
    )


def _incidents(overview: dict[str, Any]) -> Iterator[GaugeMetricFamily]:
    own = [
        incident["key"]
        for incident in overview["incidents"]
        if incident["market"] == overview["market"]["name"]
    ]
    kinds = Counter(key.split()[0] for key in own)
    yield gauge(
        "incidents",
        "What needs a person, by kind; a kind without incidents has no sample.",
        [((kind,), count) for kind, count in kinds.items()],
        ("kind",),
    )


def _components(overview: dict[str, Any]) -> Iterator[GaugeMetricFamily]:
    yield gauge(
        "component_heartbeat_timestamp_seconds",
        "Newest heartbeat of a component of Airflow; 0 when it has never sent one.",
        [((name,), seconds(beat) or 0.0) for name, beat in overview["components"].items()],
        ("component",),
    )
