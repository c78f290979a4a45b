"""A metric family: the gauges of one name."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from prometheus_client.core import GaugeMetricFamily

from rankalpha.pipeline.market import DEFAULT

Samples = list[tuple[tuple[str, ...], float | None]]  # label values and value; None: there is none


def gauge(name: str, what: str, samples: Samples, labels: tuple[str, ...] = ()) -> GaugeMetricFamily:
    """Return a family of the name with our prefix, and its samples."""
    family = GaugeMetricFamily(f"rankalpha_{name}", what, labels=labels)
    for values, value in samples:
        if value is not None:
            family.add_metric(values, value)
    return family


def by_market(
    families: Callable[[dict[str, Any]], Iterable[GaugeMetricFamily]], seen: Iterable[dict[str, Any]]
) -> Iterable[GaugeMetricFamily]:
    """Return the families of all overviews, each once; samples of the default market have no label for it."""
    made: dict[str, GaugeMetricFamily] = {}
    for one in seen:
        name = one["market"]["name"]
        for family in families(one):
            if name not in ("", DEFAULT):
                family.samples = [
                    sample._replace(labels={**sample.labels, "market": name}) for sample in family.samples
                ]
            if family.name in made:
                made[family.name].samples += family.samples
            else:
                made[family.name] = family
    return made.values()


def seconds(moment: str | None) -> float | None:
    """Return an ISO moment in seconds since 1970."""
    return datetime.fromisoformat(moment).timestamp() if moment else None
