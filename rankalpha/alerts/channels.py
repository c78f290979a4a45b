"""The channels by which alerts are sent: e-mail and Slack, each switched on by its connection.

`smtp_default`, with receivers in RANKALPHA_ALERT_EMAIL, and `slackwebhook_default`.
"""

import logging
import re
from collections.abc import Callable, Collection
from dataclasses import replace
from html import escape

from airflow.sdk import BaseNotifier, Connection, conf
from airflow.sdk.exceptions import AirflowNotFoundException

from rankalpha.alerts.connections import CONNECTIONS, EMAIL, SLACK, SLACK_CONNECTION, SMTP_CONNECTION
from rankalpha.alerts.incident import Incident
from rankalpha.masking import masked
from rankalpha.settings import settings
from rankalpha.texts import cut, one_line, printable

log = logging.getLogger(__name__)

LINK = re.compile(r"https?://[^\s<]+")
SUBJECT = 200  # characters
TEXT = 12_000  # characters
# Slack asks for 4,000 characters at most, and its API refuses a longer text as `msg_too_long`
SLACK_TEXT = 3_500  # as Slack gets it; the rest is for what it counts otherwise, such as emoji


def page() -> str:
    """Return the address of the page RankAlpha in Airflow's UI."""
    return f"{ui()}/plugin/rankalpha"


def ui() -> str:
    """Return the address of Airflow's UI, as people open it."""
    return str(conf.get("api", "base_url", fallback="http://localhost:8080")).rstrip("/")


def switched_on() -> tuple[str, ...]:
    """Return the names of the channels that are switched on."""
    return tuple(
        name
        for name, connection in CONNECTIONS.items()
        if (name != EMAIL or settings().alert_email) and _exists(connection)
    )


def bounded(incident: Incident) -> Incident:
    """Return an incident short enough to be sent and stored, without secrets or control characters."""
    # an error quotes the stage's output; outside of Airflow nothing else would mask a secret in it
    subject, text = masked(incident.subject), masked(incident.text)
    return replace(
        incident, subject=cut(printable(one_line(subject)), SUBJECT), text=cut(printable(text), TEXT)
    )


def send(incident: Incident, names: Collection[str]) -> tuple[str, ...]:
    """Send an alert by each of the named channels; log and return the channels that did not take it."""
    failed, incident = [], bounded(incident)  # an earlier version may have stored an alert of any size
    subject = f"RankAlpha {incident.urgency}: {incident.subject}"
    head = f"{incident.urgency}: {incident.urgency.meaning}"
    body = f"{incident.text}\nPage: {page()}"
    for name in names:
        try:
            NOTIFIERS[name](subject, head, body).notify({})
        except Exception:
            log.exception("ALERT could not be sent by %s; the watchdog will send it again: %s", name, subject)
            failed.append(name)
    return tuple(failed)


def _email(subject: str, head: str, body: str) -> BaseNotifier:
    from airflow.providers.smtp.notifications.smtp import SmtpNotifier  # noqa: PLC0415  slow, not for parsing

    linked = LINK.sub(lambda link: f'<a href="{link[0]}">{link[0]}</a>', escape(body))
    return SmtpNotifier(
        smtp_conn_id=SMTP_CONNECTION,
        to=settings().alert_email,
        subject=subject,
        html_content=f"<p><b>{escape(head)}</b></p>\n<pre>{linked}</pre>",  # keeps the lines of an error
        mime_subtype="mixed",
    )


def _slack(subject: str, head: str, body: str) -> BaseNotifier:
    from airflow.providers.slack.notifications.slack_webhook import (  # noqa: PLC0415  slow, not for parsing
        SlackWebhookNotifier,
    )

    title = f"*{escape(subject, quote=False)}*\n"
    text = _escaped(f"{head}\n{body}", SLACK_TEXT - len(title))
    return SlackWebhookNotifier(slack_webhook_conn_id=SLACK_CONNECTION, text=title + text)


def _escaped(text: str, longest: int) -> str:
    """Return a text for Slack of at most `longest` characters, in which nothing can become a mention."""
    room = longest
    while len(escaped := escape(cut(text, room), quote=False)) > longest and room:
        room = room * longest // len(escaped)
    return escaped


NOTIFIERS: dict[str, Callable[[str, str, str], BaseNotifier]] = {EMAIL: _email, SLACK: _slack}


def _exists(connection: str) -> bool:
    try:
        Connection.get(connection)
    except AirflowNotFoundException:
        return False
    except Exception:  # sending will fail too, and is repeated
        log.exception("Connection %s cannot be read", connection)
    return True
