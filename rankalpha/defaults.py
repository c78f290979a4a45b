"""What all DAGs share: owner, retries and alerts."""

from typing import Any

from airflow.sdk import Param

from rankalpha.alerts import AlertNotifier
from rankalpha.logs import bind_batch_of_run
from rankalpha.settings import settings
from rankalpha.tries import DEATHS, CountedFailures

OWNER = "rankalpha"


PUBLISH = "publish"  # the param of a run


def params() -> dict[str, Param]:
    """Return what a person can choose when triggering a stage by hand."""
    title = "Publish the result, which starts what follows"
    return {PUBLISH: Param(True, type="boolean", title=title)}


def default_args() -> dict[str, Any]:
    """Return the default arguments of every task."""
    return {
        "owner": OWNER,
        "retries": settings().retries + DEATHS,
        "retry_policy": CountedFailures(),
        "retry_delay": settings().retry_wait,
        "retry_exponential_backoff": 2.0,  # doubles; True would count as 1 and never grow
        "max_retry_delay": settings().max_retry_wait,
        "on_execute_callback": bind_batch_of_run,
        "on_failure_callback": AlertNotifier(),  # after the last try only
    }
