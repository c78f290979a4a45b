"""Notices in the API server that a person has ended a stage, and starts a round of the watchdog at once.

Usually the worker or the triggerer then stops the stage's container. The round is for the moment in which the
worker has let go of it and the triggerer has not taken it over, and for when the triggerer is down.
"""

import logging
from datetime import UTC, datetime
from typing import Any

from airflow.listeners import hookimpl

from rankalpha.pipeline.steps import WATCHDOG_DAG

log = logging.getLogger(__name__)

STAGE = "StageOperator"


@hookimpl
def on_task_instance_failed(task_instance: Any) -> None:
    """See airflow.listeners; the API server calls it for what a person does, a trial for its own end."""
    _start_round(task_instance)


@hookimpl
def on_task_instance_success(task_instance: Any) -> None:
    """See airflow.listeners."""
    _start_round(task_instance)


@hookimpl
def on_task_instance_skipped(task_instance: Any) -> None:
    """See airflow.listeners."""
    _start_round(task_instance)


def _start_round(task_instance: Any) -> None:
    if getattr(task_instance, "operator", None) != STAGE:  # a task that a worker runs has no such name
        return
    from airflow.api.common.trigger_dag import trigger_dag  # noqa: PLC0415  heavy
    from airflow.sdk.exceptions import AirflowException  # noqa: PLC0415
    from airflow.utils.types import DagRunTriggeredByType  # noqa: PLC0415

    run_id = f"stage_ended__{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}"  # one round for all of the same second
    try:
        trigger_dag(WATCHDOG_DAG, triggered_by=DagRunTriggeredByType.REST_API, run_id=run_id)
    except AirflowException as error:  # that round exists already, or the DAG does not
        log.info("No round of %s: %s", WATCHDOG_DAG, error)
