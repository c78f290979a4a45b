"""A stage's secret reaches the stage and nothing else: not even when the stage prints it and fails.

What is served of a run is listed in tests/support/served.py; the alert goes to a real mail server and a real
webhook. The whole of the database and the output of containers are read in tests/docker/compose.
"""

import hashlib
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from rankalpha.embedded.ports import free_ports
from tests.support.served import served

DAG, TASK = "rankalpha_sentiment", "run_ai_analysis"
KEY = "2022-08-06T06:00:00"
SECRET = "sk-3f9c-not-to-be-seen"
TELLING = "sh -c 'echo told $OPENAI_API_KEY; printf %s $OPENAI_API_KEY | sha256sum; exit 65'"


class Mailbox:
    """aiosmtpd's handler."""

    def __init__(self):
        self.texts = []

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802
        self.texts.append(envelope.content.decode())
        return "250 OK"


@contextmanager
def mail(port):
    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield box.texts
    finally:
        controller.stop()


@contextmanager
def webhook():
    texts = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            texts.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/services/T0/B0/x", texts
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def connections(stack, **found):
    """Switch channels of the alerts on for a while."""
    for name, fields in found.items():
        stack.api.post("connections", {"connection_id": name, **fields})
    try:
        yield
    finally:
        for name in found:
            stack.delete(f"connections/{name}")


@pytest.fixture(scope="module")
def told(stack):
    """The failed run of a stage that prints its secret, and what was sent about it."""
    (port,) = free_ports(1)
    extra = {"from_email": "airflow@example.org", "disable_ssl": True, "disable_tls": True}
    with mail(port) as mails, webhook() as (url, posts):
        channels = {
            "smtp_default": {
                "conn_type": "smtp",
                "host": "127.0.0.1",
                "port": port,
                "extra": json.dumps(extra),
            },
            "slackwebhook_default": {"conn_type": "slackwebhook", "password": url},
        }
        with (
            stack.variables(OPENAI_API_KEY=SECRET, SENTIMENT_COMMAND=TELLING),
            connections(stack, **channels),
        ):
            stack.trigger("rankalpha_ingestion", KEY)
            stack.settle()
            (run,) = stack.runs(DAG, partition_key_prefix_pattern=KEY)
            shown = served(stack.api, dag=DAG, run=run["dag_run_id"], task=TASK, batch=KEY)
        yield {"served": shown, "mail": "\n".join(mails), "slack": "\n".join(posts), "address": url}


def test_the_secret_reached_its_stage(told):
    assert hashlib.sha256(SECRET.encode()).hexdigest() in told["served"]


@pytest.mark.parametrize(
    ("place", "holds"),
    [
        ("served", "told ***"),
        ("mail", f"{DAG}.{TASK} failed"),
        ("slack", f"{DAG}.{TASK} failed"),
    ],
)
def test_no_secret_is_shown_or_sent(told, place, holds):
    assert holds in told[place]
    assert SECRET not in told[place]
    assert told["address"] not in told[place]  # who knows a webhook's address can write there


def test_no_secret_is_written_to_a_file(stack, told):
    logs = list(Path(stack.state).rglob("*.log"))
    assert any("told ***" in path.read_text(errors="replace") for path in logs)
    written = [
        path
        for path in logs
        for secret in (SECRET, told["address"])
        if secret in path.read_text(errors="replace")
    ]
    assert written == []
