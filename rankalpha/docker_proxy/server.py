"""The proxy's server: checks a request, asks the engine anew, and passes the answer on as it arrives."""

import asyncio
import logging
import signal
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from aiohttp import (
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    UnixConnector,
)
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import (
    BaseRequest,
    HTTPRequestEntityTooLarge,
    RequestPayloadError,
    Response,
    Server,
    ServerRunner,
    StreamResponse,
    TCPSite,
    json_response,
)
from yarl import URL

from rankalpha.docker_proxy.allowed import LABEL, Allowed, Problem, Refused
from rankalpha.docker_proxy.container import rewritten
from rankalpha.docker_proxy.operations import CREATE, DELETE, STOP, Call, parse
from rankalpha.settings import ProxySettings

logger = logging.getLogger("rankalpha.docker_proxy")

HEADERS = (  # of the engine's answer
    "Api-Version",
    "Content-Length",
    "Content-Type",
    "Docker-Experimental",
    "Server",
    "X-Docker-Container-Path-Stat",
)
LOGGED = (CREATE, STOP, DELETE)


class Proxy:
    """Answers requests by asking the engine at a socket."""

    def __init__(self, engine: ClientSession, socket: Path, allowed: Allowed) -> None:
        self._engine = engine
        self._socket = socket
        self._allowed = allowed

    async def handle(self, request: BaseRequest) -> StreamResponse:
        """Answer one request; each problem in Docker's form, so that its clients can show it."""
        try:
            return await self._handle(request)
        except Problem as problem:
            _log(request, logging.WARNING, f"{problem.status} {problem}")
            return _problem(problem.status, str(problem))
        except HTTPRequestEntityTooLarge as error:
            return _problem(413, f"RankAlpha's Docker proxy takes no such body: {error.text}")
        except RequestPayloadError as error:
            return _problem(400, f"RankAlpha's Docker proxy cannot read the body: {error}")
        except (ClientError, OSError) as error:
            message = f"RankAlpha's Docker proxy gets no answer from the engine at {self._socket}: {error}"
            _log(request, logging.ERROR, message)
            return _problem(502, message)

    async def _handle(self, request: BaseRequest) -> StreamResponse:
        if "Upgrade" in request.headers:
            raise Refused("to upgrade a connection")
        call = parse(request.method, request.raw_path, self._allowed)
        body = rewritten(await request.read(), self._allowed) if call.operation is CREATE else None
        if "container" in call.parts:
            call = call.on(await self._own(call))
        async with self._ask(call.operation.method, call.path, call.query, body) as answer:
            if call.operation in LOGGED:
                _log(request, logging.INFO, f"{answer.status} {call.path} {call.query.get('name', '')}")
            return await _pass_on(answer, request)

    async def _own(self, call: Call) -> str:
        """Return the full id of the container that `call` names; Refused if it is not ours."""
        name = call.parts["container"]
        async with self._ask("GET", f"/containers/{name}/json") as answer:
            found = await answer.json()
        if answer.status != 200:  # noqa: PLR2004
            raise Problem(answer.status, found["message"])
        if LABEL not in (found["Config"]["Labels"] or {}):
            raise Refused(f"{call.operation.method} {call.path}: it is not a stage's container")
        return str(found["Id"])

    def _ask(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> AbstractAsyncContextManager[ClientResponse]:
        url = URL.build(scheme="http", host="docker", path=path, query=query or {})
        headers = {"Content-Type": "application/json"} if body else {}
        return self._engine.request(method, url, data=body, headers=headers, allow_redirects=False)


async def _pass_on(answer: ClientResponse, request: BaseRequest) -> StreamResponse:
    headers = {name: answer.headers[name] for name in HEADERS if name in answer.headers}
    response = StreamResponse(status=answer.status, headers=headers)
    await response.prepare(request)
    try:
        async for chunk in answer.content.iter_any():
            await response.write(chunk)  # waits for a client that reads slowly
    except ClientError:  # the engine went away: the client must not take what it has for the whole
        if request.transport:
            request.transport.abort()
    else:
        await response.write_eof()
    return response


def _problem(status: int, message: str) -> Response:
    return json_response({"message": message}, status=status)


def _log(request: BaseRequest, level: int, message: str) -> None:
    """Log a line about a request; what a client has written cannot begin another line."""
    logger.log(level, "%s: %s", request.remote, message.encode("unicode_escape").decode()[:1000])


def _without_quotes(record: logging.LogRecord) -> bool:
    """Drop the traceback of what is not HTTP: it quotes the request, which may be a secret."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, (HttpProcessingError, RequestPayloadError)):
        record.msg, record.args, record.exc_info = "400 %s", (type(error).__name__,), None
    return True


async def serve(settings: ProxySettings, allowed: Allowed) -> None:
    """Serve until SIGTERM."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    engine = ClientSession(
        # a connection for each request, so that there is nothing that two of them share; any number of them
        connector=UnixConnector(str(settings.socket), force_close=True, limit=0),
        timeout=ClientTimeout(total=None, sock_connect=10),  # a stage's output may be silent for hours
        cookie_jar=DummyCookieJar(),
        headers={"Accept-Encoding": "identity"},  # its answers are passed on as they are
        auto_decompress=False,
    )
    async with engine:
        server = Server(
            Proxy(engine, settings.socket, allowed).handle,
            handler_cancellation=True,  # a client that hangs up ends its request to the engine
            auto_decompress=False,  # none of ours compresses
            access_log=None,
        )
        logging.getLogger("aiohttp.server").addFilter(_without_quotes)
        runner = ServerRunner(server, shutdown_timeout=0.1)  # streams may never end
        await runner.setup()
        await TCPSite(runner, settings.host, settings.port).start()
        logger.info("listening on %s:%s for the engine at %s", settings.host, settings.port, settings.socket)
        logger.info("allowed: %s", allowed)
        await stopped.wait()
        await runner.cleanup()
