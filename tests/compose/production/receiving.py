"""What receiver.py is to be sent, and what it was sent."""

import json

from tests.support.channels import with_words

WEBHOOK = "http://receiver:8000/services/T0/B0/sesame-webhook"
EMAIL = {"from_email": "airflow@example.org", "disable_ssl": True, "disable_tls": True}
RECEIVER = {
    "RANKALPHA_OPENLINEAGE": "http://receiver:8000",
    "RANKALPHA_ALERT_EMAIL": "operators@example.org",
    "AIRFLOW_CONN_SMTP_DEFAULT": json.dumps(
        {"conn_type": "smtp", "host": "receiver", "port": 25, "extra": EMAIL}
    ),
    "AIRFLOW_CONN_SLACKWEBHOOK_DEFAULT": json.dumps({"conn_type": "slackwebhook", "password": WEBHOOK}),
}


def received(stack, kind):
    """What the receiver was sent of a kind so far, oldest first."""
    messages = map(json.loads, stack.logs("receiver").splitlines())
    return [content for message in messages for content in (message.get(kind),) if content]


def told(stack, *words):
    """What both channels were told with certain words, oldest first; nothing until both were."""
    kinds = {kind: with_words(received(stack, kind), words) for kind in ("mail", "slack")}
    return kinds if all(kinds.values()) else None
