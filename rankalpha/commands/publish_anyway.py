"""Publishes a batch that its contract has blocked, by the route that the operators' page uses too."""

from http import HTTPStatus
from typing import Any

from rankalpha.airflow_api import OWN_ROUTES, PUBLISH_ANYWAY, AirflowApi, AirflowApiError, admin_api
from rankalpha.commands.batches import check_key
from rankalpha.commands.progress import EXIT_STATUS, monitor_execution, show_what_follows
from rankalpha.commands.refusals import Refused
from rankalpha.contract.quarantine import permission_problem
from rankalpha.pipeline.pipelines import Pipeline, pipeline
from rankalpha.settings import AdminSettings


def publish_batch(key: str, dataset: str, reason: str, market: str | None) -> int:
    """Publish a blocked batch in the name of the admin user, and follow the task that publishes it.

    Returns the exit status; raises a refusal.
    """
    check_key(key)
    if problem := permission_problem(AdminSettings.load().user, reason):
        raise Refused(problem)
    api = admin_api()
    run = publish_anyway(api, pipeline(market), key, dataset, reason)
    print(f"{run['dag_id']}: run {run['dag_run_id']}", flush=True)
    outcome = monitor_execution(api, run, downstream=False)
    if outcome == "done":
        show_what_follows(run["dag_id"])
    return EXIT_STATUS[outcome]


def publish_anyway(
    api: AirflowApi, pipeline: Pipeline, key: str, dataset: str, reason: str
) -> dict[str, Any]:
    """Have the newest blocked run of a batch publish it in `dataset`; return that run. Raises a refusal."""
    body = {"batch": key, "dataset": dataset, "reason": reason, "market": pipeline.market.name}
    try:
        return api.post(f"{OWN_ROUTES}{PUBLISH_ANYWAY}", body)
    except AirflowApiError as error:
        if error.status != HTTPStatus.CONFLICT:
            raise
        raise Refused(error.detail) from error
