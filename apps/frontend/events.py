"""Notifies every open page that there is something new."""

import asyncio
from collections.abc import AsyncIterator


class Broadcast:
    """Passes each message to the pages that listen at that moment; in one event loop, nothing is stored."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Queue[str | None]] = set()

    def send(self, message: str | None) -> int:
        """Queue a message for every listener and return how many there are."""
        for queue in self._listeners:
            queue.put_nowait(message)
        return len(self._listeners)

    async def listen(self) -> AsyncIterator[str | None]:
        """Yield the messages that are sent from the first step on, until the iteration ends."""
        queue: asyncio.Queue[str | None] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._listeners.discard(queue)
