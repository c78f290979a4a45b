"""A metric family: all gauges with the same name."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from prometheus_client.core import GaugeMetricFamily

from rankalpha.pipeline.market import DEFAULT

Samples = list[tuple[tuple[str, ...], float | None]]  # label values, then the value; None: no sample


def gauge(name: str, what: str, samples: Samples, labels: tuple[str, ...] = ()) -> GaugeMetricFamily:
    """Return the family `rankalpha_<name>` with its samples; `what` is its help text."""
    family = GaugeMetricFamily(f"rankalpha_{name}", what, labels=labels)
    for values, value in samples:
        if value is not None:
            family.add_metric(values, value)
    return family


def by_market(
    families: Callable[[dict[str, Any]], Iterable[GaugeMetricFamily]], overviews: Iterable[dict[str, Any]]
) -> Iterable[GaugeMetricFamily]:
    """Return the families of all overviews, each once; samples of the default market have no market label."""
    merged: dict[str, GaugeMetricFamily] = {}
    for overview in overviews:
        market = overview["market"]["name"]
        for family in families(overview):
            if market not in ("", DEFAULT):
                family.samples = [
                    sample._replace(labels={**sample.labels, "market": market}) for sample in family.samples
                ]
            if family.name in merged:
                merged[family.name].samples += family.samples
            else:
                merged[family.name] = family
    return merged.values()


def seconds(moment: str | None) -> float | None:
    """Return an ISO moment in seconds since 1970."""
    return datetime.fromisoformat(moment).timestamp() if moment else None
