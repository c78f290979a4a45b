"""The batches that there are, as Airflow's API knows them."""

from rankalpha.airflow_api import AirflowApi
from rankalpha.commands.refusals import Refused
from rankalpha.pipeline.batch import BatchError, batch_of_run, is_trial, parse_key
from rankalpha.pipeline.pipelines import Pipeline

SHOWN = 5  # batches in a message


def known_batch(api: AirflowApi, key: str, pipeline: Pipeline) -> str:
    """Return the batch of that key, if it was ever ingested."""
    check_key(key)
    if key not in (keys := ingested(api, pipeline)):
        newest = f"the newest are {', '.join(keys[:SHOWN])}" if keys else "there is none yet"
        raise Refused(f"batch {key} was never ingested; {newest}. Fill a missed day with --day {key[:10]}")
    return key


def ingested(api: AirflowApi, pipeline: Pipeline) -> list[str]:
    """Return the keys of all batches that were published in prices or that ingestion has a run of."""
    runs = api.every(f"dags/{pipeline.ingestion}/dagRuns", "dag_runs", order_by="-run_after")
    begun = {batch_of_run(run) for run in runs if not is_trial(run)}
    return sorted(begun | published(api, pipeline.steps[0].writes), reverse=True)


def published(api: AirflowApi, dataset: str) -> set[str]:
    """Return the keys of all batches that were published in a dataset."""
    events = api.every("assets/events", "asset_events", name_prefix_pattern=dataset)
    return {event["partition_key"] for event in events if event["name"] == dataset and event["partition_key"]}


def check_key(key: str) -> None:
    """Raise Refused for what is not a batch key."""
    try:
        parse_key(key)
    except BatchError as error:
        raise Refused(str(error)) from error
