"""Alerts that a task has failed for good."""

import logging
from typing import Any

from airflow.sdk import BaseNotifier
from airflow.sdk.exceptions import AirflowFailException

from rankalpha.alerts.alert import alert, is_new
from rankalpha.pipeline.pipelines import pipeline_of

log = logging.getLogger(__name__)


class EndedByPerson(AirflowFailException):
    """A person ended the task: nobody has to act, and the watchdog reports who it was."""


class AlertNotifier(BaseNotifier):
    """Alert that a task has failed for good, and what to do; an `on_failure_callback`."""

    def notify(self, context: Any) -> None:
        """Alert, unless the watchdog or an earlier run has done so."""
        from rankalpha.alerts.failed_task import describe  # noqa: PLC0415  not for parsing

        if isinstance(context.get("exception"), EndedByPerson):
            log.info("A person ended this task; the watchdog reports who it was")
            return
        incident, ti = describe(context), context["ti"]
        # a failure of the watchdog or the maintenance lasts for as long as each of its runs fails
        attempt_start = getattr(ti, "start_date", None) if pipeline_of(ti.dag_id) else None
        if is_new(incident.key, attempt_start):
            alert(incident)
        else:
            log.error("Still open: %s\n%s", incident.subject, incident.text)
