"""Checks a request, asks the engine with a new one, and passes the answer on as it arrives."""

import logging
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from aiohttp import ClientError, ClientResponse, ClientSession
from aiohttp.web import (
    BaseRequest,
    HTTPRequestEntityTooLarge,
    RequestPayloadError,
    StreamResponse,
    json_response,
)
from yarl import URL

from rankalpha.runners.file_system import result_folder
from rankalpha.stack.docker_proxy.allowed import LABEL, Allowed, Problem, Refused
from rankalpha.stack.docker_proxy.container import rewritten
from rankalpha.stack.docker_proxy.operations import CREATE, DELETE, MAKE_FOLDER, RENAME, STOP, Call, parse
from rankalpha.texts import cut

logger = logging.getLogger("rankalpha.stack.docker_proxy")

HEADERS = (  # of the engine's answer
    "Api-Version",
    "Content-Length",
    "Content-Type",
    "Docker-Experimental",
    "Server",
    "X-Docker-Container-Path-Stat",
)
LOGGED = (CREATE, RENAME, STOP, DELETE)
LOGGED_TEXT = 1_000  # characters of what a client has written


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
            answer = problem
        except (ClientError, OSError) as error:
            message = f"RankAlpha's Docker proxy gets no answer from the engine at {self._socket}: {error}"
            answer = Problem(502, message)
        _log(request, logging.WARNING, f"{answer.status} {answer}")
        return json_response({"message": str(answer)}, status=answer.status)

    async def _handle(self, request: BaseRequest) -> StreamResponse:
        if "Upgrade" in request.headers:
            raise Refused("to upgrade a connection")
        call = parse(request.method, request.raw_path, self._allowed)
        body = await self._body(request, call)
        if "container" in call.parts:
            call = call.on(await self._own(call))
        if call.operation in LOGGED:  # at once: who hangs up cannot keep it out of the log
            name = call.query.get("name", "")
            _log(request, logging.INFO, f"{call.operation.method} {call.path} {name}".rstrip())
        async with self._ask(call.operation.method, call.path, call.query, body) as answer:
            return await _pass_on(answer, request)

    async def _body(self, request: BaseRequest, call: Call) -> bytes | None:
        if call.operation is MAKE_FOLDER:
            return result_folder()
        if call.operation is not CREATE:
            return None
        try:
            return rewritten(await request.read(), self._allowed)
        except HTTPRequestEntityTooLarge as error:
            raise Problem(413, f"RankAlpha's Docker proxy: {error.text}") from error
        except RequestPayloadError as error:  # it quotes the body
            raise Problem(400, "RankAlpha's Docker proxy cannot read the body") from error

    async def _own(self, call: Call) -> str:
        """Return the full id of the container that `call` names; Refused if it is not ours."""
        name = call.parts["container"]
        async with self._ask("GET", f"/containers/{name}/json") as answer:
            container = await answer.json()
        if answer.status != 200:  # noqa: PLR2004
            raise Problem(answer.status, container["message"])
        if LABEL not in (container["Config"]["Labels"] or {}):
            raise Refused(f"{call.operation.method} {call.path}: it is not a stage's container")
        return str(container["Id"])

    def _ask(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> AbstractAsyncContextManager[ClientResponse]:
        url = URL.build(scheme="http", host="docker", path=path, query=query or {})
        kind = "application/x-tar" if method == "PUT" else "application/json"
        headers = {"Content-Type": kind} if body else {}
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


def _log(request: BaseRequest, level: int, message: str) -> None:
    """Log a line about a request; what a client has written cannot begin another line."""
    logger.log(level, "%s: %s", request.remote, cut(message.encode("unicode_escape").decode(), LOGGED_TEXT))
