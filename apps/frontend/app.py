"""The HTTP interface: the page, its data by way of the grading API, and the refresh signal."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel

from apps.api.batches import BatchKey, MarketName
from apps.common.bounds import bound
from apps.frontend.events import Broadcast
from apps.frontend.settings import Settings

STATIC = Path(__file__).parent / "static"
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
def page() -> FileResponse:
    """Return the ranking page."""
    return FileResponse(STATIC / "index.html", headers={"Cache-Control": "no-cache"})


@router.get("/api/ranking")
async def ranking(
    request: Request, batch: BatchKey | None = None, market: MarketName | None = None
) -> Response:
    """Pass on the API's grades, or its 404 without any; 502 when it is down or its answer is not JSON."""
    try:
        asked = {key: value for key, value in (("batch", batch), ("market", market)) if value}
        answer = await request.app.state.api.get("/api/v1/grading/grades", params=asked)
        content = answer.json()
    except httpx.TransportError as error:
        return JSONResponse({"detail": f"the grading API does not answer ({type(error).__name__})"}, 502)
    except ValueError:
        return JSONResponse({"detail": "the grading API answered with something that is not JSON"}, 502)
    status = 502 if answer.is_server_error else answer.status_code
    return JSONResponse(content, status_code=status, headers={"Cache-Control": "no-store"})


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
    app.include_router(router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    bound(app)
    app.middleware("http")(add_headers)  # also to refusals
    return app
