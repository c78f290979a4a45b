"""A metric family: the gauges of one name."""

from datetime import datetime

from prometheus_client.core import GaugeMetricFamily

Samples = list[tuple[tuple[str, ...], float | None]]  # label values and value; None: there is none


def gauge(name: str, what: str, samples: Samples, labels: tuple[str, ...] = ()) -> GaugeMetricFamily:
    """Return a family of the name with our prefix, and its samples."""
    family = GaugeMetricFamily(f"rankalpha_{name}", what, labels=labels)
    for values, value in samples:
        if value is not None:
            family.add_metric(values, value)
    return family


def seconds(moment: str | None) -> float | None:
    """Return an ISO moment in seconds since 1970."""
    return datetime.fromisoformat(moment).timestamp() if moment else None
