"""What `rankalpha status` shows of the embedded stack that runs: processes, Airflow, batches, addresses."""

from collections.abc import Iterator
from datetime import datetime

import requests

from rankalpha.airflow_api import AirflowApi, AirflowApiError
from rankalpha.pipeline.batch import batch_of_run, is_trial
from rankalpha.pipeline.pipelines import Pipeline, pipelines

RUNS = 20  # of ingestion, among which the newest batch is
Row = tuple[str, str]  # a label and what it labels


def airflow_rows(api: AirflowApi) -> Iterator[Row]:
    """Yield Airflow's health and the newest batch of each market, or why they are not known."""
    try:
        states = {name: (state or {}).get("status") for name, state in api.get("monitor/health").items()}
        unwell = [
            f"{name} is {state or 'not running'}" for name, state in states.items() if state != "healthy"
        ]
        yield "Airflow", ", ".join(unwell) or "healthy"
        for pipeline in pipelines():
            yield f"newest batch{_of(pipeline)}", _newest_batch(api, pipeline)
    except (AirflowApiError, requests.RequestException) as error:
        yield "Airflow", str(error)


def address_rows(airflow: str, api: str, frontend: str) -> Iterator[Row]:
    """Yield the addresses that a person opens or a program calls."""
    yield "Airflow", airflow
    yield "operators' page", f"{airflow}/plugin/rankalpha"
    yield "grading API", api
    for pipeline in pipelines():
        query = f"?market={pipeline.market.folder}" if pipeline.market.folder else ""
        yield f"ranking{_of(pipeline)}", f"{frontend}/{query}"


def table(rows: list[Row]) -> str:
    """Return rows as text, what is labelled in one column."""
    width = max(len(label) for label, _ in rows)
    return "".join(f"{label:<{width}}  {text}\n" for label, text in rows)


def _of(pipeline: Pipeline) -> str:
    return f" of {pipeline.market.folder}" if pipeline.market.folder else ""


def _newest_batch(api: AirflowApi, pipeline: Pipeline) -> str:
    """Return the newest batch of a market and whether it is graded."""
    runs = api.get(f"dags/{pipeline.ingestion}/dagRuns", order_by="-run_after", limit=RUNS)["dag_runs"]
    key = max((batch_of_run(run) for run in runs if not is_trial(run)), default=None)
    if not key:
        return "none yet"
    dataset = pipeline.graded.writes
    events = api.every("assets/events", "asset_events", name_prefix_pattern=dataset, order_by="-timestamp")
    for event in events:
        if (event["name"], event["partition_key"]) == (dataset, key):
            return f"{key}, graded at {datetime.fromisoformat(event['timestamp']):%Y-%m-%d %H:%M:%S} UTC"
    return f"{key}, not graded yet"
