"""A socket before the engine's own, whose connections can be cut and whose output can hang."""

import socket
import threading
from contextlib import suppress
from pathlib import Path

from tests.support.needs import SOCKET


class Relay:
    """Hands on what goes between the engine and its clients."""

    def __init__(self, path):
        self.url = f"unix://{path}"
        self.hangs = False  # each output that is followed, from now on
        self.flows = threading.Event()
        self.followed = 0  # how often somebody has asked for output
        self._path = Path(path)
        self.open()

    def open(self):
        """Listen, for the first time or after `cut`."""
        self._sockets, self._followers = [], []
        listener = self._kept(socket.socket(socket.AF_UNIX))
        listener.bind(str(self._path))
        listener.listen(100)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def cut(self, *, politely=False):
        """Drop all connections, and let nobody in; `politely` like an engine that ends its answers before."""
        self._path.unlink()
        for one in self._followers if politely else ():
            one.sendall(b"0\r\n\r\n")
        for one in self._sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def close(self):
        """End what hangs."""
        self.flows.set()
        self.cut()

    def _kept(self, one):
        self._sockets.append(one)
        return one

    def _accept(self, listener):
        with suppress(OSError):
            while True:
                client = self._kept(listener.accept()[0])
                engine = self._kept(socket.socket(socket.AF_UNIX))
                engine.connect(SOCKET)
                follows = threading.Event()
                for source, target in ((client, engine), (engine, client)):
                    pump = (source, target, source is engine, follows)
                    threading.Thread(target=self._pump, args=pump, daemon=True).start()

    def _pump(self, source, target, answers, follows):
        with suppress(OSError):
            while data := source.recv(65536):
                if not answers and b"/logs?" in data:
                    self.followed += 1
                    self._followers.append(source)
                    follows.set()
                if answers and follows.is_set() and self.hangs:
                    self.flows.wait()
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
