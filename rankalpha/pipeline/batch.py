"""Batches: which data belong together.

A batch is one ingestion run. Its key, the run's time in UTC to the second (`2026-11-22T06:00:00`), is the
asset partition key of every event that descends from that run. The key is per run and not per day: with a
daily key, a second ingestion on one day would let grading start on the first one's sentiment.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from rankalpha.pipeline.pipelines import DEFAULT_PIPELINE, pipeline_of
from rankalpha.texts import shown

if TYPE_CHECKING:  # the command line has to answer before Airflow is loaded
    from airflow.sdk import Asset, Context

BATCHES_KEY = "batches"  # in a dataset's state store: the keys that were published, newest first
FIGURES_KEY = "figures"  # there too: rows, symbols and as_of of the newest of them, by key
ASSET_TRIGGERED = "asset_triggered"  # Airflow's type of a run that events of datasets have started
KEY_FORMAT = "%Y-%m-%dT%H:%M:%S"
CLOCKS_APART = timedelta(minutes=1)  # at most, of the machines that make a key and use it; or set back
TRIAL = "__airflow_temporary_run_"  # prefix of the ids of runs of `airflow tasks test` and `dags test`
SUPERSEDED = "batch_superseded"  # an event of the audit log; its text begins with the batch


class BatchError(Exception):
    """A batch does not exist; the message says what to trigger instead."""


def key_of(moment: datetime) -> str:
    """Return the key of the batch that starts at `moment` (timezone-aware)."""
    return moment.astimezone(UTC).strftime(KEY_FORMAT)


def parse_key(key: str) -> datetime:
    """Return the moment of a batch key in UTC; BatchError when it is malformed or lies in the future."""
    try:
        moment = datetime.strptime(key, KEY_FORMAT).replace(tzinfo=UTC)
    except ValueError as error:
        raise BatchError(
            f"{shown(key)} is not a batch key; expected a UTC time such as 2026-11-22T06:00:00"
        ) from error
    if key_of(moment) != key:  # strptime takes 2026-1-2T6:0:0 too, which would be a second name of a batch
        raise BatchError(f"{key!r} is not a batch key; expected {key_of(moment)}")
    if moment > datetime.now(UTC) + CLOCKS_APART:
        raise BatchError(f"batch {key} lies in the future")
    return moment


def is_trial(run: Mapping[str, Any]) -> bool:
    """Return whether a run of Airflow's API is a trial, see `rankalpha.airflow_fixes.trials`: of no batch."""
    return str(run["dag_run_id"]).startswith(TRIAL)


def batch_of_run(run: Mapping[str, Any]) -> str:
    """Return the batch of an ingestion run of Airflow's API, as `new_batch` makes it."""
    return str(
        run["partition_key"] or key_of(datetime.fromisoformat(run["logical_date"] or run["run_after"]))
    )


def new_batch(context: "Context") -> str:
    """Return the batch of an ingestion run: its partition key, or its time when it has no key."""
    run = context["dag_run"]
    key = run.partition_key or key_of(run.logical_date or run.run_after)
    parse_key(key)
    return key


def batch_of(context: "Context", consumes: Sequence["Asset"], log: Any) -> str:
    """Return the batch that a run is for: its partition key, else the newest batch of all that it consumes.

    Raises BatchError for a key that was not published in each of `consumes`. A run that events of the
    datasets have started is not checked, because its key comes from them.
    """
    run = context["dag_run"]
    key = run.partition_key
    if key:
        parse_key(key)
        if run.run_type == ASSET_TRIGGERED:
            return str(key)
        missing = [asset.name for asset in consumes if key not in published(context, asset)]
        if missing:
            raise BatchError(never_published(key, missing))
        return str(key)
    common = set.intersection(*(published(context, asset) for asset in consumes))
    if not common:
        names = " and ".join(asset.name for asset in consumes)
        first = (pipeline_of(context["ti"].dag_id) or DEFAULT_PIPELINE).ingestion
        raise BatchError(f"no batch is published in {names} yet; trigger {first} first")
    newest = max(common)  # the format sorts by time
    log.info("Triggered without a partition key: taking the newest published batch, %s", newest)
    return newest


def never_published(key: str, datasets: Sequence[str]) -> str:
    """Return the sentence that refuses a key which was not published in these datasets."""
    return (
        f"batch {key} was never published in {' and '.join(datasets)}; trigger without a key "
        "for the newest batch, or with a key that the Assets view shows"
    )


def published(context: "Context", asset: "Asset") -> set[str]:
    """Return the keys of the newest batches published in `asset`, as listed by the asset manager."""
    keys: Any = context["asset_state_store"][asset].get(BATCHES_KEY, [])
    return {key for key in keys if is_key(key)}  # a person may have posted an event with any key


def earlier(figures: Mapping[str, Any], batch: str) -> dict[str, Any]:
    """Return `rows`, `symbols` and `as_of` of the batch that was published before `batch`.

    `figures` are those of a dataset's newest batches. Keys decide which batch is earlier, so that a repeated
    batch is compared with the same batch again. Figures that its event lacks are left out; without an earlier
    batch the result is empty.
    """
    key = max((key for key in figures if key < batch and is_key(key)), default=None)
    return dict(figures[key]) if key else {}


def is_key(key: str) -> bool:
    """Return whether a text is the key of a batch that may exist."""
    try:
        parse_key(key)
    except BatchError:
        return False
    return True
