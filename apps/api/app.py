"""The HTTP interface: read the grades, check the service's health, and what else is served beside it."""

import logging
import time
from collections.abc import Awaitable, Callable

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from fastapi_offline import FastAPIOffline

from apps.api import comparing, evaluations, markets, planning, publishing, refreshing, shown, symbols
from apps.api.answers import Health
from apps.api.batches import batches, graded
from apps.api.docs_page import add_page
from apps.api.etags import NotModified, not_modified
from apps.api.history import exporting
from apps.api.history import routes as routes_of_history
from apps.api.history.faults import Damaged
from apps.api.requests import Configured
from apps.api.settings import Settings
from apps.api.versions import Taken
from apps.common.bounds import bound
from apps.common.problems import problem
from apps.common.stage import BadData, StageError
from apps.common.versions import Changed

log = logging.getLogger("rankalpha.api")
# the page about the API loads nothing from elsewhere, and is shown in no other page; Swagger UI writes styles
POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; "
    "frame-ancestors 'none'"
)
router = APIRouter()


@router.get("/health")
def health(settings: Configured) -> Health:
    """Return that the service is up, and its newest batches."""
    return Health(
        newest_batch=next((files.key for files in batches(settings.data_dir)), None),
        newest_graded=next((files.key for files in graded(settings.data_dir)), None),
    )


async def log_request(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Log a line for each request: method, path, status, milliseconds, batch."""
    started = time.perf_counter()
    response = await call_next(request)
    milliseconds = (time.perf_counter() - started) * 1000
    batch = getattr(request.state, "batch", "")
    path = request.url.path  # still percent-encoded, so that a request cannot forge a log line
    status, shown = response.status_code, batch or "-"
    extra = {"batch": batch}
    log.info("%s %s %d %.0fms batch=%s", request.method, path, status, milliseconds, shown, extra=extra)
    return response


async def add_policy(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Tell browsers what a page from here may do."""
    response = await call_next(request)
    response.headers["Content-Security-Policy"] = POLICY
    return response


def failed(_request: Request, error: Exception) -> JSONResponse:
    """Answer 500 and name the file that cannot be read or written, or the grades that are corrupt."""
    log.error("%s", error)
    return problem(500, str(error))


def corrupt(request: Request, error: Exception) -> JSONResponse:
    """Answer 422 to who has a batch graded, because its inputs stay as they are; 500 to who reads grades."""
    return (changed if request.method == "POST" else failed)(request, error)


def changed(_request: Request, error: Exception) -> JSONResponse:
    """Answer 422: another attempt with the same version cannot succeed."""
    log.error("%s", error)
    return problem(422, str(error))


def taken(_request: Request, error: Exception) -> JSONResponse:
    """Answer 409: a version of this name is there."""
    log.error("%s", error)
    return problem(409, str(error))


# the rooms of the reference: what a person looks for there
ROUTES = {
    "grades": (shown.router, markets.router, symbols.router),
    "record": (routes_of_history.router, exporting.router, evaluations.router),
    "grading": (
        refreshing.router,
        publishing.router,
        comparing.router,
        planning.router,
        evaluations.publishing,
        router,
    ),
}


def create_app(settings: Settings) -> FastAPI:
    """Return the application for one data root."""
    # it serves the files of Swagger UI; the page is ours
    app = FastAPIOffline(title="RankAlpha grading API", version="1", docs_url=None, redoc_url=None)
    add_page(app)
    app.state.settings = settings
    for room, routers in ROUTES.items():
        for routes in routers:
            app.include_router(routes, tags=[room])
    bound(app)
    app.middleware("http")(add_policy)
    app.middleware("http")(log_request)
    kinds = (
        (StageError, failed),
        (BadData, corrupt),
        (OSError, failed),
        (Damaged, failed),
        (Changed, changed),
        (Taken, taken),
        (NotModified, not_modified),
    )
    for kind, answer in kinds:
        app.add_exception_handler(kind, answer)
    return app
