"""Fills the last days with batches of the sample, by ordinary ingestion runs with past keys, oldest first."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from rankalpha.airflow_api import AirflowApi, admin_api, is_held
from rankalpha.commands.batches import published
from rankalpha.commands.progress import EXIT_STATUS, Outcome, monitor_execution
from rankalpha.commands.progress_bar import Silent
from rankalpha.commands.refusals import Refused
from rankalpha.lineage.service import profile_of
from rankalpha.pipeline.batch import key_of
from rankalpha.pipeline.market import Market
from rankalpha.pipeline.pipelines import Pipeline, pipeline
from rankalpha.pipeline.steps import SHAPE
from rankalpha.remedy import command
from rankalpha.settings import settings
from rankalpha.stages.output import PUBLISH
from rankalpha.texts import count

SOURCE, SAMPLE = "INGESTION_SOURCE", "sample"
INTERRUPTED = 130  # exit status, as of a shell


def demo(days: int, market: str | None) -> int:
    """Make each missing batch of the last days and wait until it is graded; return the exit status.

    Raises a refusal.
    """
    api, of_market = admin_api(), pipeline(market)
    _check_source(api, of_market)
    graded = {key[:10] for key in published(api, of_market.graded.writes)}
    due = list(keys(of_market.market, days, datetime.now(UTC)))
    missing = [key for key in due if key[:10] not in graded]
    there = f"{count(len(due) - len(missing), 'batch', 'batches')} of {len(due)} there already"
    print(f"Filling {count(days, 'day')}: {there}, {len(missing)} to make.", flush=True)
    try:
        outcome = _make(api, of_market, missing)
    except KeyboardInterrupt:
        again = command("demo", "--days", str(days), *(("--market", market) if market else ()))
        print(f"\nStopped. The batch goes on in Airflow; `{again}` makes those that are still missing.")
        return INTERRUPTED
    if outcome == "done":
        if missing:
            _evaluate_again(api, of_market, missing[-1])
        print(f"Ranking:          {settings().frontend_url}")
        print(f"Operators' page:  {settings().airflow_url}/plugin/rankalpha")
    return EXIT_STATUS[outcome]


def keys(market: Market, days: int, now: datetime) -> Iterator[str]:
    """Yield the key of the first batch by schedule of each day before today that has one, oldest first."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for ago in range(days, 0, -1):
        if first := market.first_of(midnight - timedelta(days=ago)):
            yield key_of(first)


def _check_source(api: AirflowApi, of_market: Pipeline) -> None:
    """Refuse unless the prices are the sample's: a past day of another source would be paid for, or wrong."""
    source = profile_of(api, of_market, SHAPE[0].stage, {SOURCE: SAMPLE}).get(SOURCE)
    if source.strip() != SAMPLE:
        raise Refused(
            f"{SOURCE} is {source}, and a demo is made of the sample; set {SOURCE}={SAMPLE}, "
            f"or fill a missed day of your source with `{command('rerun', '--day', 'DAY')}`"
        )
    if is_held(api.get(f"dags/{of_market.ingestion}")):
        raise Refused(f"{of_market.ingestion} is paused, so its batches would wait; unpause it first")


def _make(api: AirflowApi, of_market: Pipeline, missing: list[str]) -> Outcome:
    """Make the batches one after another, because each goes on from the one before; stop at a failure."""
    begun = time.monotonic()
    for number, key in enumerate(missing, start=1):
        started = time.monotonic()
        outcome, last = _graded(api, of_market, key)
        now = time.monotonic()
        place = f"{number:>{len(str(len(missing)))}} of {len(missing)}  {key}"
        if outcome != "done":
            print(f"{place}  {last}", flush=True)
            return outcome
        left = (now - begun) / number * (len(missing) - number)
        print(f"{place}  graded in {now - started:.1f} s; {_minutes(left)} left", flush=True)
    return "done"


def _evaluate_again(api: AirflowApi, of_market: Pipeline, made: str) -> None:
    """Have the newest batch evaluated once more: its record was made before the days before it were filled.

    Nothing to do when the newest batch was `made` just now.
    """
    dag_id = of_market.by_step["evaluation"]
    newest = max(published(api, of_market.graded.writes))
    if newest == made or is_held(api.get(f"dags/{dag_id}")):
        return
    api.post(f"dags/{dag_id}/dagRuns", {"logical_date": None, "partition_key": newest, "note": "demo"})
    print(f"{dag_id} makes the record again, with these days; the ranking page shows it when it is ready.")


def _graded(api: AirflowApi, of_market: Pipeline, key: str) -> tuple[Outcome, str]:
    """Follow the batch that is under way, or make it; return the outcome and the last that was said."""
    if run := _under_way(api, of_market, key):
        progress = Silent(key)
        if (outcome := monitor_execution(api, run, progress=progress)) != "failed":
            return outcome, progress.said
    body = {"logical_date": None, "partition_key": key, "note": "demo"}
    progress = Silent(key)
    run = api.post(f"dags/{of_market.ingestion}/dagRuns", body)
    return monitor_execution(api, run, progress=progress), progress.said


def _under_way(api: AirflowApi, of_market: Pipeline, key: str) -> dict[str, Any] | None:
    """Return a batch's newest ingestion run unless it has failed, such as that of a demo that was stopped."""
    filters = {"partition_key_prefix_pattern": key, "order_by": "-run_after", "limit": 1}
    runs = api.get(f"dags/{of_market.ingestion}/dagRuns", **filters)["dag_runs"]
    publishes = [run for run in runs if (run.get("conf") or {}).get(PUBLISH, True)]
    return next((run for run in publishes if run["state"] != "failed"), None)


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"  # noqa: PLR2004  two digits
