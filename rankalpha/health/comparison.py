"""How the grades of a variant differ from those of its champion, and what both have cost, as JSON."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any

from rankalpha.airflow_api import AirflowApi
from rankalpha.pipeline.batch import is_key, parse_key
from rankalpha.pipeline.challenger import Challenger
from rankalpha.pipeline.steps import COMPARISON

USED = ("seconds", "cpu_seconds", "peak_memory_bytes")
HORIZONS = (1, 5, 21)  # sessions


def comparison(api: AirflowApi, challenger: Challenger, most: int) -> dict[str, Any] | None:
    """Return the comparison of the newest batches, `most` at most; None when no batch is compared yet.

    {"market", "variant", "summary", "returns": [{"horizon", "sessions", "champion", "challenger",
    "difference", "low", "high"}], "batches": [{"batch", "as_of", "symbols", ...}], "stages": [{"stage",
    "who", "runs", "seconds", "cpu_seconds", "peak_memory_bytes"}]}. A batch has the details of its event, see
    `datasets.comparisons`. `summary` says how many `batches` there are, how many are `different`, in how many
    letters they have `changed`, and the medians of `rank_correlation` and of the share `top_overlap`.
    `returns` are what the newest batch's event says of A minus F of all batches until then. The figures of
    stages are medians. Raises as AirflowApi does.
    """
    events = newest(api, challenger.dataset_name(COMPARISON.writes))
    known = [key for key, extra in events.items() if isinstance(extra.get("details"), Mapping)]
    compared = {key: events[key] for key in known[:most]}
    if not compared:
        return None
    rows = [
        {"batch": key, "as_of": extra.get("as_of"), "symbols": extra.get("symbols"), **extra["details"]}
        for key, extra in compared.items()
    ]
    return {
        "market": challenger.name,
        "variant": challenger.variant,
        "summary": summary(rows),
        "returns": list(_returns(rows[0])),
        "batches": rows,
        "stages": list(_costs(api, challenger, list(compared))),
    }


def newest(api: AirflowApi, dataset: str) -> dict[str, Mapping[str, Any]]:
    """Return what was reported of each batch of a dataset, newest first; later events count."""
    found: dict[str, Mapping[str, Any]] = {}
    events = api.every("assets/events", "asset_events", name_prefix_pattern=dataset, order_by="-timestamp")
    for event in events:
        key = event["partition_key"] or ""
        if event["name"] == dataset and is_key(key):
            found.setdefault(key, event["extra"] or {})
    return dict(sorted(found.items(), reverse=True))


def summary(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return how many batches differ, and the median of the figures; None for one that is not known."""
    known = [row["rank_correlation"] for row in rows if row.get("rank_correlation") is not None]
    tops = [row["top_overlap"] / row["top"] for row in rows if row.get("top")]
    return {
        "batches": len(rows),
        "different": sum(bool(row.get("changed")) for row in rows),
        "changed": sum(row.get("changed") or 0 for row in rows),
        "rank_correlation": median(known) if known else None,
        "top_overlap": median(tops) if tops else None,
    }


def _returns(row: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what A minus F was worth, by horizon; nothing for a service that does not say it."""
    for horizon in HORIZONS:
        if f"sessions_{horizon}" in row:
            yield {
                "horizon": horizon,
                "sessions": row[f"sessions_{horizon}"],
                "champion": row.get(f"champion_spread_{horizon}"),
                "challenger": row.get(f"challenger_spread_{horizon}"),
                "difference": row.get(f"difference_{horizon}"),
                "low": row.get(f"difference_low_{horizon}"),
                "high": row.get(f"difference_high_{horizon}"),
            }


def _costs(api: AirflowApi, challenger: Challenger, keys: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the medians of what the containers of both have used for these batches, by stage."""
    for step in challenger.declared.steps:
        if step.stage:
            for who, market in (("champion", challenger.champion), ("challenger", challenger)):
                yield cost(step.stage, who, containers(api, market.dataset_name(step.writes), keys))


def cost(stage: str, who: str, used: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the medians of what containers of a stage have used."""
    medians = {key: _median(each.get(key) for each in used) for key in USED}
    return {"stage": stage, "who": who, "runs": len(used), **medians}


def containers(api: AirflowApi, dataset: str, keys: Sequence[str]) -> list[Mapping[str, Any]]:
    """Return what the containers of these batches have used; a version that is used again has none."""
    since = parse_key(min(keys)).isoformat()  # nothing is published in a batch before its time
    found = {}
    filters = {"name_prefix_pattern": dataset, "timestamp_gte": since, "order_by": "timestamp"}
    for event in api.every("assets/events", "asset_events", **filters):
        if event["name"] == dataset and event["partition_key"] in keys:
            found[event["partition_key"]] = (event["extra"] or {}).get("container")
    return [container for container in found.values() if isinstance(container, Mapping)]


def _median(values: Iterator[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None
