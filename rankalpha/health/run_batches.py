"""Finds out which batch each run is for, and which runs are for none."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from rankalpha.airflow_api import AirflowApi
from rankalpha.health import queries
from rankalpha.health.left import left_by
from rankalpha.health.queries import ByBatch, Run
from rankalpha.pipeline.batch import ASSET_TRIGGERED, batch_of_run, is_key, parse_key
from rankalpha.pipeline.pipelines import Pipeline

Published = set[tuple[str, str]]  # datasets with the batches that they have


@dataclass(frozen=True)
class Attributed:
    """Runs by DAG and batch, oldest first; `strays` are runs of no batch that are not over."""

    by_batch: ByBatch
    strays: Sequence[Run]


def attributed(
    api: AirflowApi, runs: Sequence[Run], events: ByBatch, pipelines: Sequence[Pipeline]
) -> Attributed:
    """Return the runs by the batch that they are for.

    A run that was triggered without a key is known by its event, or, when it failed, by what it has left. A
    key that was typed counts once its batch is published in all that the DAG reads, as `batch_of` has it. A
    failed run of no batch is over when a later run of its DAG has succeeded.
    """
    by_batch: ByBatch = defaultdict(lambda: defaultdict(list))
    strays = []
    reads = {step.dag_id: step.reads for pipeline in pipelines for step in pipeline.steps}
    ours = [run for run in runs if run["dag_id"] in reads]
    published = _published(api, ours, events, reads)
    for run in ours:
        key = _batch(api, run, reads[run["dag_id"]], published)
        if key:
            by_batch[run["dag_id"]][key].append(run)
        elif run["state"] != "success" and not (run["state"] == "failed" and _succeeded_later(run, ours)):
            strays.append(run)
    return Attributed(by_batch, strays)


def _batch(api: AirflowApi, run: Run, reads: Collection[str], published: Published) -> str:
    """Return the batch of a run; an empty text when it has none, or does not say yet."""
    if not reads:
        key = batch_of_run(run)
        return key if is_key(key) else ""
    if key := run["partition_key"]:
        known = run["run_type"] == ASSET_TRIGGERED or all((name, key) in published for name in reads)
        return str(key) if known else ""
    return left_by(api, run).batch if run["state"] == "failed" else ""


def _published(
    api: AirflowApi, runs: Sequence[Run], events: ByBatch, reads: dict[str, tuple[str, ...]]
) -> Published:
    """Return what is published, as far as a run's key depends on it; older events are asked for only then."""
    found = {(name, key) for name, by_key in events.items() for key in by_key}
    typed = [run for run in runs if run["partition_key"] and run["run_type"] != ASSET_TRIGGERED]
    needed = {(name, run["partition_key"]) for run in typed for name in reads[run["dag_id"]]}
    missing = [(name, key) for name, key in needed - found if is_key(key)]
    if missing:
        since = min(parse_key(key) for _, key in missing)  # nothing is published before its batch begins
        found |= queries.published(api, since, missing)
    return found


def _succeeded_later(failed: Run, runs: Sequence[Run]) -> bool:
    """Return whether the DAG has run well since: whoever started the failed run has what it was for."""
    ended = datetime.fromisoformat(failed["end_date"] or failed["run_after"])
    return any(
        run["state"] == "success"
        and run["dag_id"] == failed["dag_id"]
        and run["start_date"]
        and datetime.fromisoformat(run["start_date"]) >= ended
        for run in runs
    )
