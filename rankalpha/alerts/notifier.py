"""Reports a task that has failed for good."""

import logging
from typing import Any

from airflow.sdk import BaseNotifier
from airflow.sdk.exceptions import AirflowFailException

from rankalpha.alerts.alert import is_new, tell
from rankalpha.pipeline.pipelines import pipeline_of

log = logging.getLogger(__name__)


class EndedByPerson(AirflowFailException):
    """The task was ended on purpose: nobody is alerted; the watchdog tells who did it."""


class AlertNotifier(BaseNotifier):
    """Tell who is on duty that a task has failed for good and what to do; an `on_failure_callback`."""

    def notify(self, context: Any) -> None:
        """Tell, unless that was told, by the watchdog or after an earlier run."""
        from rankalpha.alerts.failed_task import describe  # noqa: PLC0415  not for parsing

        if isinstance(context.get("exception"), EndedByPerson):
            log.info("A person has ended this task; the watchdog tells who")
            return
        incident, ti = describe(context), context["ti"]
        # a failure of the watchdog or the maintenance lasts for as long as each of its runs fails
        begun = getattr(ti, "start_date", None) if pipeline_of(ti.dag_id) else None
        if is_new(incident.key, begun):
            tell(incident)
        else:
            log.error("Still so: %s\n%s", incident.subject, incident.text)
