"""The metrics for Prometheus, from the families that an empty overview has."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rankalpha.web.metrics.families import Overviews
from scripts.reference.markdown import code, page, prose, table

EMPTY: dict[str, Any] = {
    "market": {"name": ""},
    "session": None,
    "batches": [],
    "datasets": [],
    "trends": [],
    "incidents": [],
    "components": {},
}


def pages(_root: Path) -> dict[str, str]:
    """Return the page of the metrics."""
    return {"metrics.md": page("Metrics", _parts())}


def _parts() -> Iterator[str]:
    yield "`GET /rankalpha/metrics` of Airflow's API server answers with these metrics for Prometheus."
    yield (
        "It needs the bearer token `RANKALPHA_METRICS_TOKEN`, see [monitoring](../operate/monitoring.md).\n"
        "All metrics are gauges. Samples of markets but the default one have the label `market` too."
    )
    yield table(("metric", "labels", "meaning"), map(_family, Overviews([EMPTY]).collect()))


def _family(family: Any) -> tuple[str, str, str]:
    labels = family._labelnames  # noqa: SLF001  without samples they stand nowhere else
    return code(family.name), ", ".join(map(code, labels)), prose(family.documentation)
