"""An overview of two batches, the newer one under way, as `rankalpha.health.overview` returns it."""

from datetime import UTC, date, datetime
from typing import Any

from rankalpha.pipeline.sessions import MarketDay
from rankalpha.pipeline.steps import DATASETS

NOW = "2026-11-22T06:30:00+00:00"
OLD, NEW = "2026-11-21T06:00:00", "2026-11-22T06:00:00"
MOMENT = datetime.fromisoformat(NOW)  # a Sunday
DAY = MarketDay(date(2026, 11, 20), date(2026, 11, 20), 0, datetime(2026, 11, 23, 21, tzinfo=UTC))
NAMES = ("ingestion", "scoring", "sentiment", "grading", "evaluation", "frontend")
NEEDS = {
    "scoring": ["ingestion"],
    "sentiment": ["ingestion"],
    "grading": ["scoring", "sentiment"],
    "evaluation": ["grading"],
    "frontend": ["grading"],
}
FOLLOWS = {
    "ingestion": ["scoring", "sentiment", "grading", "evaluation"],
    "scoring": ["grading", "evaluation"],
    "sentiment": ["grading", "evaluation"],
    "grading": ["evaluation"],
}
CONTAINER = {
    "image": "rankalpha_scorer",
    "digest": None,
    "name": "c",
    "seconds": 20.0,
    "cpu_seconds": 18.5,
    "peak_memory_bytes": 300_000_000,
    "memory_limit_bytes": 1_000_000_000,
}
WARNING = {
    "name": "change of rows",
    "value": -30,
    "expected": "at least -20 %",
    "severity": "warn",
    "passed": False,
}


def step(name: str, published: str | None = "2026-11-21T06:10:00+00:00", **changed: Any) -> dict[str, Any]:
    """A step that has published, unless told otherwise."""
    known = {
        "step": name,
        "dag_id": f"rankalpha_{name}",
        "state": "done" if published else "waiting",
        "since": published,
        "run_id": "r",
        "seconds": 30.0,
        "published": published,
        "rows": 20 if published else None,
        "symbols": 20 if published else None,
        "as_of": "2026-11-20" if published else None,
        "container": None,
        "forced": None,
        "reused_from": None,
        "carried_over_from": None,
        "checks": [],
        "spent": None,
        "held": None,
        "dataset": DATASETS.get(name),
        "needs": NEEDS.get(name, []),
        "follows": FOLLOWS.get(name, []),
        "optional": name == "evaluation",
    }
    assert changed.keys() <= known.keys()
    return {**known, **changed}


def batch(key: str, *steps: dict[str, Any]) -> dict[str, Any]:
    """A batch of these steps."""
    settled = all(one["state"] == "done" for one in steps)
    made = {"batch": key, "begun": NOW, "settled": settled, "where": "", "steps": list(steps), "grades": None}
    return {**made, "session": DAY.described(MOMENT), "carried_over_from": None, "news": ""}


STEP = {dataset: step for step, dataset in DATASETS.items()}


def dataset(name: str, **changed: Any) -> dict[str, Any]:
    """A fresh dataset, unless told otherwise."""
    known = {
        "name": name,
        "dataset": name,
        "asset_id": 1,
        "step": STEP[name],
        "owner": "rankalpha",
        "description": "",
        "fresh_for_hours": 26.0,
        "newest_batch": OLD,
        "published": "2026-11-21T06:10:00+00:00",
        "age_hours": 24.3,
        "session": {**DAY.described(MOMENT), "text": DAY.standing(MOMENT)},
        "stale_at": "2026-11-24T23:00:00+00:00",
        "stale": False,
    }
    assert changed.keys() <= known.keys()
    return {**known, **changed}


def sample(**changed: Any) -> dict[str, Any]:
    """An overview in which all is well."""
    under_way = (
        step("ingestion", "2026-11-22T06:10:00+00:00", rows=21),
        step("scoring", None, state="running"),
        *(step(name, None) for name in NAMES[2:]),
    )
    graded = (step(name, None, state="done") if name == "frontend" else step(name) for name in NAMES)
    known = {
        "now": NOW,
        "days": 3.0,
        "session": {**DAY.described(MOMENT), "batch": OLD, "current": True, "text": DAY.text(MOMENT)}
        | {"carried_over_from": None, "news": ""},
        "batches": [batch(NEW, *under_way), batch(OLD, *graded)],
        "datasets": [dataset(name) for name in STEP],
        "incidents": [],
        "trends": [{"step": name, "seconds": [30.0, 40.0, 35.0]} for name in NAMES[:5]],
        "market": {"name": "default", "starts": "06:00 UTC", "ingestion": "rankalpha_ingestion"},
        "components": {"scheduler": NOW, "triggerer": NOW, "dag_processor": None},
    }
    assert changed.keys() <= known.keys()
    return {**known, **changed}
