"""The metrics for Prometheus, from the families that an empty overview has."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rankalpha.web.metrics.families import Overviews
from scripts.reference.markdown import code, page, prose, table

EMPTY: dict[str, Any] = {
    "market": {"name": ""},
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
        "It needs the bearer token `RANKALPHA_METRICS_TOKEN`, see [monitoring](../operate/monitoring.md). All metrics are\n"
        "gauges. Samples of a market that is not the default one have the label `market`, too."
    )
    families = list(Overviews([EMPTY]).collect())
    rows = (
        (code(family.name), ", ".join(map(code, family._labelnames)), prose(family.documentation))
        for family in families
    )
    yield table(("metric", "labels", "meaning"), rows)
