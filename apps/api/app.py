"""The HTTP interface: read the grades, check the service's health, and what else is served beside it."""

import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import APIRouter, FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse

from apps.api import evaluations, publishing, refreshing
from apps.api.answers import Health
from apps.api.batches import BatchFiles, batches, graded
from apps.api.records import Grade, GradesAnswer
from apps.api.requests import BatchQuery, Configured, MarketQuery, root_of
from apps.api.settings import Settings
from apps.api.versions import Taken, shown_grades
from apps.common.bounds import bound
from apps.common.stage import BadData, StageError
from apps.common.versions import Changed

log = logging.getLogger("rankalpha.api")
router = APIRouter()


@router.get("/api/v1/grading/grades")
def list_grades(
    request: Request, settings: Configured, batch: BatchQuery = None, market: MarketQuery = None
) -> GradesAnswer:
    """Return the grades of a batch, best first; without a batch those of the newest graded one."""
    files = _graded(root_of(settings, market), batch)
    request.state.batch = files.key
    return shown_grades(files)


@router.get("/api/v1/grading/grades/{symbol}")
def get_grade(
    request: Request,
    symbol: str,
    settings: Configured,
    batch: BatchQuery = None,
    market: MarketQuery = None,
) -> Grade:
    """Return one symbol's grade."""
    answer = list_grades(request, settings, batch, market)
    for grade in answer.grades:
        if grade.symbol == symbol.upper():
            return grade
    raise HTTPException(404, f"this symbol has no grade in batch {answer.batch}")


@router.get("/health")
def health(settings: Configured) -> Health:
    """Return that the service is up, and its newest batches."""
    return Health(
        newest_batch=next((files.key for files in batches(settings.data_dir)), None),
        newest_graded=next((files.key for files in graded(settings.data_dir)), None),
    )


def _graded(root: Path, key: str | None) -> BatchFiles:
    """Return the batch of `key`, or the newest graded one."""
    known = [BatchFiles(root, key)] if key else graded(root)
    if not known or not known[0].grades.is_file():
        raise HTTPException(404, f"batch {key} is not graded" if key else "no batch has been graded yet")
    return known[0]


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


def failed(_request: Request, error: Exception) -> JSONResponse:
    """Answer 500 and name the file that cannot be read or written, or the grades that are corrupt."""
    log.error("%s", error)
    return JSONResponse({"detail": str(error)}, status_code=500)


def corrupt(request: Request, error: Exception) -> JSONResponse:
    """Answer 422 to who has a batch graded, because its inputs stay as they are; 500 to who reads grades."""
    return (changed if request.method == "POST" else failed)(request, error)


def changed(_request: Request, error: Exception) -> JSONResponse:
    """Answer 422: another attempt with the same version cannot succeed."""
    log.error("%s", error)
    return JSONResponse({"detail": str(error)}, status_code=422)


def taken(_request: Request, error: Exception) -> JSONResponse:
    """Answer 409: a version of this name is there."""
    log.error("%s", error)
    return JSONResponse({"detail": str(error)}, status_code=409)


def create_app(settings: Settings) -> FastAPI:
    """Return the application for one data root."""
    app = FastAPI(title="RankAlpha grading API", version="1")
    app.state.settings = settings
    for routes in (router, refreshing.router, publishing.router, evaluations.router):
        app.include_router(routes)
    bound(app)
    app.middleware("http")(log_request)
    kinds = ((StageError, failed), (BadData, corrupt), (OSError, failed), (Changed, changed), (Taken, taken))
    for kind, answer in kinds:
        app.add_exception_handler(kind, answer)
    return app
