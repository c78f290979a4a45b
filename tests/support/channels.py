"""The channels of alerts: a real SMTP server and a real webhook, which keep what they were sent."""

import email
import json
import threading
from email import policy
from http.server import ThreadingHTTPServer

from aiosmtpd.controller import Controller

from rankalpha.stack.embedded.ports import free_ports
from tests.support.http_server import QuietHandler


class Mailbox:
    """An SMTP server on a port of its own, which keeps each message as (receivers, message).

    Listens inside a `with` block only.
    """

    def __init__(self):
        self.messages = []
        (self.port,) = free_ports(1)
        self._controller = None

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802  as aiosmtpd calls it
        """Take a message."""
        message = email.message_from_bytes(envelope.content, policy=policy.default)
        self.messages.append((envelope.rcpt_tos, message))
        return "250 OK"

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        """Listen."""
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def stop(self):
        """Listen no more; the messages stay."""
        self._controller.stop()

    @property
    def connection(self):
        """Airflow's connection to it, as JSON."""
        extra = {"from_email": "airflow@example.org", "disable_ssl": True, "disable_tls": True, "timeout": 2}
        return json.dumps({"conn_type": "smtp", "host": "127.0.0.1", "port": self.port, "extra": extra})

    def about(self, *words):
        """The texts of the messages that hold all of the words, subject first, oldest first."""
        return with_words([f"{message['Subject']}\n{body(message)}" for _, message in self.messages], words)


class Webhook:
    """Slack's incoming webhook as an HTTP server, which keeps the text of each message.

    It listens inside a `with` block only, and refuses a text of more than LONGEST characters, as Slack's API
    does.
    """

    LONGEST = 4_000

    def __init__(self):
        self.texts = []
        (self.port,) = free_ports(1)
        self._server = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        """Listen."""
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), self._handler())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _handler(self):
        texts, longest = self.texts, self.LONGEST

        class Handler(QuietHandler):
            def do_POST(self):  # noqa: N802  as the library calls it
                text = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["text"]
                taken = len(text) <= longest
                if taken:
                    texts.append(text)
                self.reply(*((200, "ok") if taken else (400, "msg_too_long")))

        return Handler

    @property
    def address(self):
        """Where it listens; who knows it can write there."""
        return f"http://127.0.0.1:{self.port}/services/T0/B0/sesame-webhook"

    @property
    def connection(self):
        """Airflow's connection to it, as JSON."""
        return json.dumps({"conn_type": "slackwebhook", "password": self.address})

    def about(self, *words):
        """The messages that hold all of the words, oldest first."""
        return with_words(self.texts, words)

    def stop(self):
        """Listen no more; the messages stay."""
        self._server.shutdown()
        self._server.server_close()


def body(message):
    """The HTML of an e-mail."""
    return message.get_body(("html",)).get_content()


def with_words(texts, words):
    """The texts that hold all of the words."""
    return [text for text in texts if all(word in text for word in words)]
