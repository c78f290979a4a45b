"""What alerts and lineage events are sent to, in a container of its own: prints each as a JSON line.

An SMTP server on port 25; Slack's incoming webhook and OpenLineage's API on port 8000.
"""

import email
import json
from email import policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock

from aiosmtpd.controller import Controller

PRINTING = Lock()  # a line of one thread must not end in that of another


def tell(kind, content):
    """Print what was received."""
    with PRINTING:
        print(json.dumps({kind: content}), flush=True)


class Mailbox:
    """Takes every message."""

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802  as aiosmtpd calls it
        """Take a message."""
        message = email.message_from_bytes(envelope.content, policy=policy.default)
        html = message.get_body(("html",)).get_content()
        tell("mail", f"{', '.join(envelope.rcpt_tos)}\n{message['Subject']}\n{html}")
        return "250 OK"


class Services(BaseHTTPRequestHandler):
    """Takes every POST of a lineage event or of a message."""

    def do_POST(self):
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/api/v1/lineage":
            tell("lineage", content)
        else:
            tell("slack", content["text"])
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *args):
        """Say nothing: the path is Slack's secret."""


Controller(Mailbox(), hostname="0.0.0.0", port=25).start()
ThreadingHTTPServer(("", 8000), Services).serve_forever()
