"""A Docker engine on a socket that remembers what it is asked; its containers print when they are told to."""

import json
import socket
import socketserver
import threading
from http.server import BaseHTTPRequestHandler

OURS, THEIRS = "a" * 64, "b" * 64
KNOWN = {"ours": OURS, OURS: OURS, "theirs": THEIRS}


class FakeEngine(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Knows two containers: `ours` has our label, `theirs` has none."""

    daemon_threads = True

    def __init__(self, path):
        self.path = str(path)
        self.requests = []  # method, target, headers, body
        self.go_on = threading.Event()  # lets the output of a container end
        self.breaks = False  # the engine goes away instead
        self.info = b'{"LiveRestoreEnabled": true}'
        self.hung_up = threading.Event()  # who read it has gone
        super().__init__(self.path, Handler)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}).start()

    @property
    def asked(self):
        """Method and target of each request."""
        return [" ".join(request[:2]) for request in self.requests]

    def forget(self):
        """Begin anew."""
        self.requests.clear()
        self.go_on.clear()
        self.hung_up.clear()
        self.breaks = False

    def close(self):
        """Stop listening."""
        self.go_on.set()
        self.shutdown()
        self.server_close()

    def get_request(self):
        """Give a connection an address, for the handler wants one."""
        return super().get_request()[0], ("local", 0)

    def handle_error(self, request, client_address):
        """Keep the test's output clean of readers that have gone."""


class Handler(BaseHTTPRequestHandler):
    """Answers with what the engine would tell, and a header that it would not."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/info":  # asked by the proxy itself, when it starts
            self.answer(200, self.server.info, "application/json")
            return
        length = int(self.headers.get("Content-Length", 0))
        self.server.requests.append((self.command, self.path, self.headers, self.rfile.read(length)))
        if "/containers/" in self.path and self.path.endswith("/json"):
            self.inspect(self.path.split("/")[-2])
        elif "/logs" in self.path:
            self.output()
        else:
            self.answer(200, b"OK")

    do_POST = do_PUT = do_DELETE = do_HEAD = do_GET  # noqa: N815

    def inspect(self, name):
        found = KNOWN.get(name)
        labels = {"rankalpha.dag": "d"} if found == OURS else None
        answer = {"Id": found, "Config": {"Labels": labels}} if found else {"message": f"no {name}"}
        self.answer(200 if found else 404, json.dumps(answer).encode(), "application/json")

    def answer(self, status, body, kind="text/plain"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Docker-Container-Path-Stat", "stat")
        self.send_header("X-Secret", "not for you")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def output(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.chunk(b"first")
        threading.Thread(target=self.watch, daemon=True).start()
        self.server.go_on.wait(20)
        if self.server.breaks:
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.chunk(b"last")
        self.chunk(b"")

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))

    def watch(self):
        if not self.connection.recv(1):
            self.server.hung_up.set()

    def log_message(self, *_args):
        """Keep the test's output clean."""
