"""Alerts that a run has missed its deadline."""

import asyncio
import logging
from datetime import timedelta
from typing import Any

from airflow.sdk import (  # type: ignore[attr-defined]  # its stub lacks them
    AsyncCallback,
    DeadlineAlert,
    DeadlineReference,
)

from rankalpha.alerts.alert import alert, is_new
from rankalpha.alerts.incident import late, lateness, pause
from rankalpha.settings import settings

log = logging.getLogger(__name__)


def deadline() -> DeadlineAlert:
    """Return the deadline of each run of a DAG: RANKALPHA_FINISHED_WITHIN minutes after it was queued.

    Not after its logical date, because runs that a dataset has triggered have none.
    """
    return DeadlineAlert(
        name="finished_within",
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(minutes=settings().finished_within),
        # in the triggerer, because all workers may be busy, or hang themselves
        callback=AsyncCallback(missed),
    )


async def missed(context: Any) -> None:
    """Alert that a run has missed its deadline; `context` holds the run as the public API gives it."""
    await asyncio.to_thread(_alert_missed, context["dag_run"])


def _alert_missed(run: dict[str, Any]) -> None:
    dag_id, run_id = run["dag_id"], run["dag_run_id"]
    if run["state"] not in ("queued", "running"):  # Airflow drops the deadline of a success only
        log.info("Run %s of %s ended in time, or its failure was alerted", run_id, dag_id)
    elif not (is_new(lateness(dag_id, run_id)) and is_new(pause(dag_id))):
        log.info("Run %s of %s is late; that, or its pause, was alerted before", run_id, dag_id)
    else:
        alert(late(dag_id, run_id, run["partition_key"] or "", settings().finished_within))
