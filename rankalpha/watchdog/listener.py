"""Hears in the API server that a person has ended a stage, and lets the watchdog do a round at once.

Worker or triggerer stop the stage's container then, unless the one has just let go of it and the other not
yet taken it over, or is down. Those are what the round is for.
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
    """See airflow.listeners; in the API server only a person's doing is heard."""
    _look_at_once(task_instance)


@hookimpl
def on_task_instance_success(task_instance: Any) -> None:
    """See airflow.listeners."""
    _look_at_once(task_instance)


@hookimpl
def on_task_instance_skipped(task_instance: Any) -> None:
    """See airflow.listeners."""
    _look_at_once(task_instance)


def _look_at_once(task_instance: Any) -> None:
    from airflow.api.common.trigger_dag import trigger_dag  # noqa: PLC0415  heavy
    from airflow.sdk.exceptions import AirflowException  # noqa: PLC0415
    from airflow.utils.types import DagRunTriggeredByType  # noqa: PLC0415

    if task_instance.operator != STAGE:
        return
    run_id = f"stage_ended__{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}"  # one round for all of a second
    try:
        trigger_dag(WATCHDOG_DAG, triggered_by=DagRunTriggeredByType.REST_API, run_id=run_id)
    except AirflowException as error:  # there is one already, or no such DAG
        log.info("No round of %s: %s", WATCHDOG_DAG, error)
