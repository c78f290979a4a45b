"""Metrics made of the overview. Labels are steps, datasets, states and the like, never batches or runs.

Moments are in seconds since 1970, for `time() - …` gives an age that is right also between two scrapes.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, get_args

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from rankalpha.health.standing import FRONTEND, State
from rankalpha.health.summary import durations
from rankalpha.pipeline.batch import parse_key
from rankalpha.pipeline.steps import DATASETS
from rankalpha.web.metrics.gauge import by_market, gauge, seconds
from rankalpha.web.metrics.stages import containers, datasets, quality, spending


class Overviews(Collector):
    """The metric families of the markets' overviews, which are one or more."""

    def __init__(self, seen: Sequence[dict[str, Any]]) -> None:
        self._seen = seen

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """See prometheus_client."""
        of_none = {**self._seen[0], "market": {"name": ""}}
        for families in (_batches, _runs, datasets, spending, quality, containers):
            yield from by_market(families, self._seen)
        yield from by_market(_incidents, [of_none, *self._seen])
        yield from _components(of_none)


def registry(seen: Sequence[dict[str, Any]]) -> CollectorRegistry:
    """Return a registry of its own that holds what the markets' overviews say."""
    made = CollectorRegistry()
    made.register(Overviews(seen))
    return made


def _batches(seen: dict[str, Any]) -> Iterator[GaugeMetricFamily]:
    states = Counter((one["step"], one["state"]) for batch in seen["batches"] for one in batch["steps"])
    pairs = product((*DATASETS, FRONTEND), get_args(State))
    yield gauge(
        "batches",
        "Batches that were looked at, by the state of each step.",
        [((step, state), states[step, state]) for step, state in pairs],
        ("step", "state"),
    )
    graded = [one["newest_batch"] for one in seen["datasets"] if one["step"] == "grading"]
    yield gauge(
        "last_graded_batch_timestamp_seconds",
        "Key of the newest graded batch: when its ingestion was due.",
        [((), parse_key(key).timestamp()) for key in graded if key],
    )


def _runs(seen: dict[str, Any]) -> Iterator[GaugeMetricFamily]:
    found = list(durations(seen))
    yield gauge(
        "run_duration_seconds",
        "How long the newest successful run of a step's DAG took.",
        [((one["step"],), one["seconds"]) for one in found],
        ("step",),
    )
    yield gauge(
        "run_duration_median_seconds",
        "Median of the successful runs before it, 29 at most.",
        [((one["step"],), one["median_seconds"]) for one in found],
        ("step",),
    )


def _incidents(seen: dict[str, Any]) -> Iterator[GaugeMetricFamily]:
    own = [one["key"] for one in seen["incidents"] if one["market"] == seen["market"]["name"]]
    kinds = Counter(key.split()[0] for key in own)
    yield gauge(
        "incidents",
        "What needs a person, by kind; none of a kind when all is well.",
        [((kind,), count) for kind, count in kinds.items()],
        ("kind",),
    )


def _components(seen: dict[str, Any]) -> Iterator[GaugeMetricFamily]:
    yield gauge(
        "component_heartbeat_timestamp_seconds",
        "Newest heartbeat of a component of Airflow; 0 when it has never given one.",
        [((name,), seconds(beat) or 0.0) for name, beat in seen["components"].items()],
        ("component",),
    )
