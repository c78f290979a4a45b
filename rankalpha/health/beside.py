"""Failures of tasks beside the pipelines, such as the hourly comparison of published data with the disk."""

from collections.abc import Iterable, Iterator

from rankalpha.airflow_api import AirflowApi, AirflowApiError
from rankalpha.alerts.incident import Incident, is_failure
from rankalpha.alerts.sent import SentAlert
from rankalpha.health.left import UNSEEN
from rankalpha.pipeline.pipelines import pipeline_of


def is_beside(incident: Incident) -> bool:
    """Return whether an incident is the failure of a task of no pipeline."""
    return is_failure(incident.key) and pipeline_of(dag_and_task(incident)[0]) is None and not incident.market


def dag_and_task(incident: Incident) -> tuple[str, str]:
    """Return the ids in the key of such an incident."""
    _, dag_id, task_id = incident.key.split(" ", 2)
    return dag_id, task_id


def lasting(api: AirflowApi, sent: Iterable[SentAlert]) -> Iterator[Incident]:
    """Yield what was alerted of such tasks and still holds; it takes one request for each."""
    for alert in sent:
        if alert.notice or alert.recovering or not is_beside(alert.incident):
            continue
        try:
            if newest_end(api, *dag_and_task(alert.incident)) == "failed":
                yield alert.incident
        except AirflowApiError as error:
            if error.status not in UNSEEN:
                raise


def newest_end(api: AirflowApi, dag_id: str, task_id: str) -> str | None:
    """Return how a task ended the last time, in any run."""
    newest = {"state": ["success", "failed"], "order_by": "-end_date", "limit": 1}
    tasks = api.get(f"dags/{dag_id}/dagRuns/~/taskInstances", task_id=task_id, **newest)["task_instances"]
    return next((str(task["state"]) for task in tasks), None)
