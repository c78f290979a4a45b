"""RankAlpha's API and frontend as real HTTP servers that remember what they were asked."""

import json
import threading
from collections import defaultdict
from contextlib import contextmanager
from http.server import ThreadingHTTPServer

from tests.support.http_server import QuietHandler

GRADING, FRONTEND = "/api/v1/grading/refresh", "/api/refresh-data"


class RecordingServices:
    """Answers the grading refresh and the frontend's refresh as agreed, or as `broken` says for a path.

    Listens until its `with` block ends.
    """

    def __init__(self, port=0):
        self.calls = []
        self.markets = defaultdict(list)  # by path: those that were named, None for the default one
        self.broken = {}  # path -> status, body
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _handler(self):
        services = self

        class Handler(QuietHandler):
            def do_POST(self):  # noqa: N802  as the library calls it
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                services.calls.append((self.path, body["batch"]))
                services.markets[self.path].append(body.get("market"))
                agreed = json.dumps({**body, "graded": 1, "as_of": body["batch"][:10]})
                status, body = services.broken.get(self.path, (200, agreed))
                self.reply(status, body)

        return Handler

    def asked(self, path):
        """The batches that were asked for at `path`."""
        return [batch for called, batch in self.calls if called == path]

    @contextmanager
    def answering(self, path, body, status=200):
        """Let a service answer something else for a while."""
        self.broken[path] = (status, body)
        try:
            yield
        finally:
            del self.broken[path]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
