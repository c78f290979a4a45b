"""Our Docker proxy as a process of its own, on a free port, for a test's own networks and volumes."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

from rankalpha.stack.docker_proxy.allowed import Allowed
from rankalpha.stack.embedded.ports import free_ports

SERVE = """
import asyncio, json, logging, sys
from rankalpha.stack.docker_proxy.allowed import Allowed
from rankalpha.stack.docker_proxy.server import serve
from rankalpha.settings import ProxySettings

logging.basicConfig(level=logging.INFO)
names = {kind: frozenset(values) for kind, values in json.loads(sys.argv[1]).items()}
asyncio.run(serve(ProxySettings.load(), Allowed(**names)))
"""


class RunningProxy:
    """The proxy before the engine at `engine_socket`, for what `stages` declare; its log is kept in `log`."""

    def __init__(self, engine_socket, log, stages):
        (self.port,) = free_ports(1)
        self.url = f"tcp://127.0.0.1:{self.port}"
        self._log = Path(log)
        own = {"RANKALPHA_PROXY_SOCKET": str(engine_socket), "RANKALPHA_PROXY_PORT": str(self.port)}
        allowed = {kind: sorted(names) for kind, names in asdict(Allowed.by(stages)).items()}
        with self._log.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-c", SERVE, json.dumps(allowed)],
                env={**os.environ, **own},
                stderr=out,
            )
        deadline = time.monotonic() + 20
        while not self._answers():
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < deadline, "the proxy does not listen"
            time.sleep(0.02)

    def _answers(self):
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0

    def log(self):
        """What it has logged."""
        return self._log.read_text()

    def has_read(self):
        """How many bytes it has read until now, of the engine and of its clients."""
        return int(Path(f"/proc/{self.process.pid}/io").read_text().split()[1])

    def ask(self, method, target, body=None, **headers):
        """Send one request, its target as it stands; return status, headers and body of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, target, body=body, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def send(self, raw, wait=2.0):
        """Send bytes as they are; return all that comes until the proxy hangs up or has no more to say."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=wait) as client:
            client.sendall(raw)
            return b"".join(_received(client))

    def stop(self):
        """Ask it to stop; return how many seconds that took."""
        begin = time.monotonic()
        self.process.terminate()
        self.process.wait(20)
        return time.monotonic() - begin


def _received(client):
    try:
        while chunk := client.recv(65536):
            yield chunk
    except (TimeoutError, ConnectionError):
        return
