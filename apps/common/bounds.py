"""Bounds of a service without passwords: no client can keep it from others, by requests or by silence.

Starlette bounds a body, h11 the bytes of a head, uvicorn an idle connection. The other bounds are here.
uvicorn's `limit_concurrency` is not used, because it refuses readers while others hold connections.
"""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import chain, count
from typing import Any

import h11
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from uvicorn.protocols.http.h11_impl import H11Protocol

from apps.common.problems import invalid, problem, refused, unexpected

BODY_BYTES = 16 * 1024  # a refresh names the versions of a hundred batches, which are 5 kB
HEAD_BYTES = 16 * 1024
HEADERS = 64  # a browser sends 20, proxies add some
CONNECTIONS = 256
SEND_SECONDS = 10.0  # for a whole request, from its first byte on
TAKE_SECONDS = 30.0  # for the next part of an answer
NUMBERS = count()  # of connections, in the order in which they came
LINGER_SECONDS = 2.0  # for a sender to read the answer while it still sends


class BoundedProtocol(H11Protocol):
    """A connection that ends when its sender is slow, or when it is the least useful of too many."""

    _timer: asyncio.TimerHandle | None = None
    _lingers = False

    @property
    def owed(self) -> bool:
        """Whether it is the sender's turn: no request has begun, or one has not arrived completely."""
        return self.cycle is None or self.cycle.response_complete or self.cycle.more_body

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection; of too many, drop the oldest that owes a request, else the oldest."""
        self.number = next(NUMBERS)  # a loop's clock may be too coarse to tell two connections apart
        super().connection_made(transport)
        self._end_after(SEND_SECONDS)
        if len(self.connections) > CONNECTIONS:
            known = (
                each for each in self.connections if isinstance(each, BoundedProtocol) and each is not self
            )
            oldest = min(known, key=lambda each: (not each.owed, each.number))
            self.connections.discard(oldest)  # uvicorn removes it only in the loop's next step
            oldest.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._end_after(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read what was sent; what comes after an early answer is dropped."""
        if self._lingers:
            return
        super().data_received(data)
        if not self.owed and not self.flow.write_paused:
            self._end_after(None)
        elif not self._timer:
            self._end_after(SEND_SECONDS)

    def on_response_complete(self) -> None:
        """End a connection that was answered before all was read, as a refusal is.

        Closing at once would reset the connection, and the sender would never see its answer.
        """
        self._end_after(None)
        super().on_response_complete()
        if not self.cycle.response_complete:  # the next request was there already
            self._end_after(SEND_SECONDS if self.owed else None)
        elif self.conn.their_state is h11.SEND_BODY and not self.transport.is_closing():
            self._lingers = True
            self.transport.write_eof()
            self._end_after(LINGER_SECONDS)
        elif self.transport.get_write_buffer_size():
            self._end_after(TAKE_SECONDS)

    def pause_writing(self) -> None:
        """Wait for the reader of the answer, but not without end."""
        super().pause_writing()
        self._end_after(TAKE_SECONDS)

    def resume_writing(self) -> None:
        """Go on, for the reader has taken a part."""
        super().resume_writing()
        self._end_after(None)

    def _end_after(self, seconds: float | None) -> None:
        """Drop the connection after so many seconds; None: no longer."""
        if self._timer:
            self._timer.cancel()
        # `transport` is looked up later: a connection is lost before it is made when the server stops
        self._timer = None if seconds is None else self.loop.call_later(seconds, self._drop)

    def _drop(self) -> None:
        self.transport.abort()


# what `uvicorn.run` is given
SERVER: dict[str, Any] = {
    "http": BoundedProtocol,
    "ws": "none",
    "h11_max_incomplete_event_size": HEAD_BYTES,
}


def bound(app: FastAPI) -> None:
    """Refuse requests that are too large, and answer all errors as RFC 9457 describes them.

    A refusal repeats nothing of the request.
    """
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=BODY_BYTES)
    app.middleware("http")(_few_headers)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(Exception, unexpected)


async def _few_headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    headers = request.headers.raw
    if len(headers) > HEADERS or sum(map(len, chain.from_iterable(headers))) > HEAD_BYTES:
        limit = f"more than {HEADERS} headers or {HEAD_BYTES} bytes of them; send less"
        return problem(431, limit)
    return await call_next(request)
