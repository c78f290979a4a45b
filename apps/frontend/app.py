"""The HTTP interface: the page, its data by way of the grading API, and the refresh signal."""

from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import quote

import httpx
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel
from starlette.middleware.gzip import GZipMiddleware

from apps.api.batches import BatchKey, MarketName
from apps.common.bounds import bound
from apps.common.problems import problem
from apps.frontend.events import Broadcast
from apps.frontend.files import STATIC, kept_files, page_of, version_of
from apps.frontend.passing import READ, pass_on
from apps.frontend.settings import Settings

API_TIMEOUT_SECONDS = 10.0
HEADERS = {
    # Only the page's own files run: a hostile symbol name could not even load a script.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
router = APIRouter()


class RefreshRequest(BaseModel):
    """Body of the signal; the batch is only passed on to the pages."""

    batch: BatchKey | None = None


class RefreshAnswer(BaseModel):
    """How many open pages were notified."""

    status: str = "refreshed"
    batch: str | None
    listeners: int


@router.get("/")
def page(request: Request) -> HTMLResponse:
    """Return the ranking page."""
    return HTMLResponse(request.app.state.page, headers={"Cache-Control": "no-cache"})


@router.get("/api/ranking")
async def ranking(
    request: Request,
    batch: BatchKey | None = None,
    market: MarketName | None = None,
    sparklines: bool | None = None,
    signals: bool | None = None,
) -> Response:
    """Pass on the API's grades, or its 404 without any; 502 when it is down or its answer is not JSON."""
    asked = {"batch": batch, "market": market, "sparklines": sparklines, "signals": signals}
    return await pass_on(request, "grades", {key: value for key, value in asked.items() if value is not None})


@router.get("/api/grading/{path:path}")
async def more(request: Request, path: str) -> Response:
    """Pass on what else the API answers to readers, such as batches and symbols; 404 for the rest."""
    if not READ.fullmatch(path):
        return problem(404, "the page does not read that from the grading API")
    return await pass_on(request, quote(path), request.query_params)


@router.get("/api/events", response_class=EventSourceResponse)
async def events(request: Request) -> AsyncIterator[ServerSentEvent]:
    """Stream a `refresh` event with data {"batch": key or null} for each signal.

    The framework adds a comment every 15 s, which keeps proxies from closing the stream.
    """
    yield ServerSentEvent(comment="listening", retry=3000)
    async for batch in request.app.state.broadcast.listen():
        yield ServerSentEvent(event="refresh", data={"batch": batch})


@router.post("/api/refresh-data")
async def refresh_data(request: Request, body: RefreshRequest | None = None) -> RefreshAnswer:
    """Let every open page load the ranking again. Safe to repeat."""
    batch = body.batch if body else None
    return RefreshAnswer(batch=batch, listeners=request.app.state.broadcast.send(batch))


@router.get("/health")
def health() -> dict[str, str]:
    """Return that the service is up; it does not ask the API, because the page shows when that is down."""
    return {"status": "ok"}


async def add_headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Add the security headers."""
    response = await call_next(request)
    response.headers.update(HEADERS)
    return response


def create_app(settings: Settings) -> FastAPI:
    """Return the application for one grading API."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with httpx.AsyncClient(base_url=settings.api_url, timeout=API_TIMEOUT_SECONDS) as client:
            app.state.api = client
            yield

    # No generated documentation pages: they load scripts from elsewhere.
    app = FastAPI(title="RankAlpha", docs_url=None, redoc_url=None, lifespan=lifespan)
    app.state.broadcast = Broadcast()
    app.state.kept = OrderedDict()  # answers of the API, see passing.py
    app.include_router(router)
    place = f"/static/{version_of(STATIC)}"
    app.state.page = page_of(STATIC, place)
    app.add_route(f"{place}/{{name}}", kept_files(STATIC), include_in_schema=False)
    app.add_middleware(GZipMiddleware, minimum_size=2000, compresslevel=3)
    bound(app)
    app.middleware("http")(add_headers)  # also to refusals
    return app
