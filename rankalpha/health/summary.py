"""How well the pipeline is: durations against usual durations, resources and data quality.

No request is made here: `overview` is what `rankalpha.health.overview.overview` returns.
"""

from collections.abc import Iterator
from statistics import median
from typing import Any

from rankalpha.contract.checks import Outcome
from rankalpha.contract.report import sentence
from rankalpha.pipeline.steps import DATASETS

SLOW = 2.0  # times the usual duration, and ...
SLOWER = 60.0  # ... so many seconds more, because twice of nothing is nothing
USUAL = 5  # earlier runs, from which on a duration is usual


def health(overview: dict[str, Any]) -> dict[str, Any]:
    """Return the overview together with what the functions here conclude from it, by their names."""
    return {
        **overview,
        "well": well(overview),
        "durations": list(durations(overview)),
        "usage": list(usage(overview)),
        "quality": list(quality(overview)),
    }


def well(overview: dict[str, Any]) -> bool:
    """Return whether nothing needs a person: there is no incident, and no dataset is stale."""
    return not overview["incidents"] and not any(dataset["stale"] for dataset in overview["datasets"])


def durations(overview: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield each step's newest duration and the median of the runs before it, in seconds; None if unknown."""
    for trend in overview["trends"]:
        *earlier, last = trend["seconds"] or [None]
        usual = median(earlier) if earlier else None
        yield {
            "step": trend["step"],
            "seconds": last,
            "median_seconds": usual,
            "earlier_runs": len(earlier),
            "slow": len(earlier) >= USUAL and last > max(SLOW * median(earlier), SLOWER + median(earlier)),
        }


def outputs(overview: dict[str, Any]) -> dict[str, str]:
    """Return the default market's names of the datasets, by step; also those of challengers."""
    return {**DATASETS, **{dataset["step"]: dataset["dataset"] for dataset in overview["datasets"]}}


def usage(overview: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what each stage's newest container has used, see `container` in the overview."""
    for step in outputs(overview):
        for batch, published in steps(overview, step):
            if container := published["container"]:
                yield {"step": step, "batch": batch, **container}
                break


def quality(overview: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what is wrong with the published data, newest batch first."""
    for step, dataset in outputs(overview).items():
        for batch, published in steps(overview, step):
            for problem in _problems(published):
                yield {"batch": batch, "dataset": dataset, "problem": problem}


def steps(overview: dict[str, Any], name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a step of each batch that has published, newest first, with the batch's key."""
    for batch in overview["batches"]:
        for step in batch["steps"]:
            if step["step"] == name and step["published"]:
                yield batch["batch"], step


def failed_checks(step: dict[str, Any]) -> list[Outcome]:
    """Return the contract's checks that a step's published result has failed."""
    return [check for check in step["checks"] if not check["passed"]]


def _problems(step: dict[str, Any]) -> Iterator[str]:
    if step["rows"] is None:
        yield "the stage reported no result"
    for check in failed_checks(step):
        yield f"{sentence(check)} ({check['severity']})"
    if forced := step["forced"]:
        yield f"published anyway by {forced['by']}: {forced['reason']}"
