"""Alerts: a task that has failed for good tells a person, by log, e-mail and Slack.

Each channel is switched on by its connection: `smtp_default` (with receivers in RANKALPHA_ALERT_EMAIL) and
`slackwebhook_default`. A channel that is down never changes the outcome of the task; that it failed is
logged.
"""

import logging
from collections.abc import Iterator
from html import escape
from typing import Any

from airflow.sdk import BaseNotifier, Connection, Variable
from airflow.sdk.exceptions import AirflowNotFoundException
from airflow.sdk.log import mask_logs

from rankalpha.pipeline import INGESTION_DAG
from rankalpha.settings import settings

log = logging.getLogger(__name__)

SMTP_CONNECTION = "smtp_default"
SLACK_CONNECTION = "slackwebhook_default"


class AlertNotifier(BaseNotifier):
    """Tell who is on duty that a task has failed for good and what to do; an `on_failure_callback`."""

    def notify(self, context: Any) -> None:
        """Write the alert to the log and send it through every channel that is switched on."""
        subject, text = describe(context)
        if _is_new(context["ti"], context["dag_run"]):
            send(subject, text)
        else:
            log.error("Still so: %s\n%s", subject, text)


def send(subject: str, text: str) -> None:
    """Write an alert to the log and send it through every channel that is switched on."""
    log.error("ALERT %s\n%s", subject, text)
    for channel in _channels(subject, text):
        try:
            channel.notify({})
        except Exception:
            log.exception("ALERT could not be sent by %s", type(channel).__name__)


def describe(context: Any) -> tuple[str, str]:
    """Return subject and text of the alert on the failed task of `context`."""
    ti = context["ti"]
    batch = context["dag_run"].partition_key or "of this run"
    subject = f"RankAlpha: {ti.dag_id}.{ti.task_id} failed"
    lines = [
        f"Batch: {batch}",
        f"Run: {ti.run_id}, try {ti.try_number}",
        f"Error: {context.get('exception') or 'see the log'}",
        f"Log: {getattr(ti, 'log_url', None) or 'in the Airflow UI'}",
        "Next: read the log, mend the cause, then clear the task; running it again is safe.",
    ]
    # the error quotes the stage's output; outside of Airflow nothing else would mask a secret in it
    return subject, str(mask_logs(None, "error", {"text": "\n".join(lines)})["text"])


def _is_new(ti: Any, run: Any) -> bool:
    """Let the watchdog know that a person is told; tell whether it is of something new.

    Each failure of a batch is; the watchdog itself fails every five minutes for one reason.
    """
    from rankalpha.watchdog import DAG_ID  # noqa: PLC0415  slow to load, and not for parsing
    from rankalpha.watchdog.incidents import failure  # noqa: PLC0415
    from rankalpha.watchdog.told import variable  # noqa: PLC0415

    watchdog = ti.dag_id == DAG_ID
    if not (watchdog or ti.dag_id == INGESTION_DAG or run.partition_key):
        return True  # the watchdog knows nothing of it
    key = failure(ti.dag_id, "" if watchdog else ti.run_id)
    try:
        new = not watchdog or Variable.get(variable(key), default=None) is None
        Variable.set(variable(key), key, description=f"{ti.dag_id}.{ti.task_id} failed")
    except Exception:
        log.exception("The watchdog does not know of this alert, and will send another")
        return True
    return new


def _channels(subject: str, text: str) -> Iterator[BaseNotifier]:
    # slow to load, and not needed to parse a DAG
    from airflow.providers.slack.notifications.slack_webhook import SlackWebhookNotifier  # noqa: PLC0415
    from airflow.providers.smtp.notifications.smtp import SmtpNotifier  # noqa: PLC0415

    if settings().alert_email and _exists(SMTP_CONNECTION):
        yield SmtpNotifier(
            smtp_conn_id=SMTP_CONNECTION,
            to=settings().alert_email,
            subject=subject,
            html_content=f"<pre>{escape(text)}</pre>",  # keeps the lines, and an error's < and & as they are
            mime_subtype="mixed",
        )
    if _exists(SLACK_CONNECTION):
        yield SlackWebhookNotifier(slack_webhook_conn_id=SLACK_CONNECTION, text=f"{subject}\n{text}")


def _exists(connection: str) -> bool:
    try:
        Connection.get(connection)
    except AirflowNotFoundException:
        return False
    return True
