"""How well the pipeline is: durations against the usual ones, resources and data quality.

Nothing is asked here: `seen` is what `rankalpha.health.overview.overview` returns.
"""

from collections.abc import Iterator
from statistics import median
from typing import Any

from rankalpha.pipeline.steps import DATASETS

SLOW = 2.0  # times the usual duration, and ...
SLOWER = 60.0  # ... so many seconds more, for twice of nothing is nothing
USUAL = 5  # runs that make a duration usual


def health(seen: dict[str, Any]) -> dict[str, Any]:
    """Return the overview, and with it what the functions here make of it, by their names."""
    return {
        **seen,
        "well": well(seen),
        "durations": list(durations(seen)),
        "usage": list(usage(seen)),
        "quality": list(quality(seen)),
    }


def well(seen: dict[str, Any]) -> bool:
    """Tell whether nothing needs a person: no incident, and no dataset is stale."""
    return not seen["incidents"] and not any(dataset["stale"] for dataset in seen["datasets"])


def durations(seen: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield each step's newest duration and the median of the runs before it, in seconds; None if unknown."""
    for trend in seen["trends"]:
        *earlier, last = trend["seconds"] or [None]
        usual = median(earlier) if earlier else None
        yield {
            "step": trend["step"],
            "seconds": last,
            "median_seconds": usual,
            "earlier_runs": len(earlier),
            "slow": len(earlier) >= USUAL and last > max(SLOW * median(earlier), SLOWER + median(earlier)),
        }


def usage(seen: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what each stage's newest container has used, see `container` in the overview."""
    for step in DATASETS:
        for batch, one in steps(seen, step):
            if container := one["container"]:
                yield {"step": step, "batch": batch, **container}
                break


def quality(seen: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what is wrong with the published data, newest batch first."""
    for step, dataset in DATASETS.items():
        for batch, one in steps(seen, step):
            for problem in _problems(one):
                yield {"batch": batch, "dataset": dataset, "problem": problem}


def steps(seen: dict[str, Any], name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a step of each batch that has published, newest first, with the batch's key."""
    for batch in seen["batches"]:
        for one in batch["steps"]:
            if one["step"] == name and one["published"]:
                yield batch["batch"], one


def failed_checks(step: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the contract's checks that a step's published result has failed."""
    return [check for check in step["checks"] if not check["passed"]]


def _problems(step: dict[str, Any]) -> Iterator[str]:
    if step["rows"] is None:
        yield "the stage reported no result"
    for check in failed_checks(step):
        yield f"{check['name']} is {check['value']}, expected {check['expected']} ({check['severity']})"
    if forced := step["forced"]:
        yield f"published all the same by {forced['by']}: {forced['reason']}"
