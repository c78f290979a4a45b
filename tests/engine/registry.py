"""A registry of images that has a single one, to be pulled."""

import hashlib
import io
import json
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


class Registry:
    """Serves an image of one file on a port of this machine, which Docker asks without TLS."""

    def __init__(self, text):
        """`text` makes the image differ from others."""
        layer = _layer(text.encode())
        config = {"architecture": "amd64", "os": "linux", "config": {}}
        config |= {"rootfs": {"type": "layers", "diff_ids": [_digest(layer)]}}
        blobs = {"config": json.dumps(config).encode(), "layer": layer}
        parts = {name: {"size": len(blob), "digest": _digest(blob)} for name, blob in blobs.items()}
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": "application/vnd.docker.container.image.v1+json", **parts["config"]},
            "layers": [{"mediaType": "application/vnd.docker.image.rootfs.diff.tar", **parts["layer"]}],
        }
        answer = json.dumps(manifest).encode()
        self.digest = _digest(answer)
        self._answers = {_digest(blob): blob for blob in blobs.values()} | {self.digest: answer, "1": answer}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.image = f"127.0.0.1:{self._server.server_port}/demo"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _handler(self):
        answers, manifest = self._answers, self.digest

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                wanted = self.path.rpartition("/")[2]
                found = answers.get(wanted, b"")
                self.send_response(200 if found or not wanted else 404)
                self.send_header(
                    "Content-Type", MANIFEST if "/manifests/" in self.path else "application/octet-stream"
                )
                self.send_header("Docker-Content-Digest", manifest if wanted == "1" else wanted)
                self.send_header("Content-Length", str(len(found)))
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(found)

            do_HEAD = do_GET  # noqa: N815  as http.server calls it

            def log_message(self, *args):
                pass

        return Handler

    def close(self):
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()


def _digest(content):
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _layer(content):
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        file = tarfile.TarInfo("true")
        file.size = len(content)
        archive.addfile(file, io.BytesIO(content))
    return made.getvalue()
