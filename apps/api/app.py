"""The HTTP interface: read the grades, check the service's health, and what else is served beside it."""

import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, FastAPI, Query, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from apps.api import described, markets, publishing, refreshing, symbols
from apps.api.answers import Health
from apps.api.batches import BatchFiles, batches, graded
from apps.api.etags import NotModified, fresh, not_modified
from apps.api.history import routes as routes_of_history
from apps.api.history.answers import SparklinesAnswer
from apps.api.history.months import Damaged
from apps.api.records import Grade, GradesAnswer
from apps.api.requests import BatchQuery, Configured, MarketQuery, root_of
from apps.api.settings import Settings
from apps.api.versions import Taken, shown_grades
from apps.common.bounds import bound
from apps.common.problems import problem
from apps.common.stage import BadData, StageError
from apps.common.versions import Changed

log = logging.getLogger("rankalpha.api")
router = APIRouter()


@router.get("/api/v1/grading/grades", response_model=GradesAnswer)
def list_grades(
    request: Request,
    response: Response,
    settings: Configured,
    batch: BatchQuery = None,
    market: MarketQuery = None,
    limit: Annotated[int | None, Query(ge=1, description="how many grades at most; if left out, all")] = None,
    offset: Annotated[int, Query(ge=0, description="how many grades to skip")] = 0,
    sparklines: Annotated[bool, Query(description="false: the sparklines are empty lists")] = True,
) -> Response:
    """Return the grades of a batch, best first; without a batch those of the newest graded one."""
    files = _graded(root_of(settings, market), batch)
    request.state.batch = files.key
    fresh(request, response, [files.grades])
    answer = shown_grades(files)
    some = answer.grades[offset:][:limit]
    if not sparklines:
        some = [grade.model_copy(update={"sparkline": []}) for grade in some]
    answer = answer.model_copy(update={"grades": some, "total": len(answer.grades)})
    # in one go: what the framework does with a model takes four times as long for 5,000 grades
    return Response(answer.model_dump_json(), headers=dict(response.headers), media_type="application/json")


@router.get("/api/v1/grading/sparklines")
def list_sparklines(
    request: Request,
    response: Response,
    settings: Configured,
    symbols: Annotated[str, Query(description="symbols, with commas between them", max_length=8_000)],
    batch: BatchQuery = None,
    market: MarketQuery = None,
) -> SparklinesAnswer:
    """Return the last closes of some symbols of a batch, oldest first."""
    files = _graded(root_of(settings, market), batch)
    request.state.batch = files.key
    fresh(request, response, [files.grades])
    wanted = {symbol.strip().upper() for symbol in symbols.split(",")}
    grades = shown_grades(files).grades
    lines = {grade.symbol: grade.sparkline for grade in grades if grade.symbol in wanted}
    return SparklinesAnswer(batch=files.key, sparklines=lines)


@router.get("/api/v1/grading/grades/{symbol}")
def get_grade(
    request: Request,
    response: Response,
    symbol: str,
    settings: Configured,
    batch: BatchQuery = None,
    market: MarketQuery = None,
) -> Grade:
    """Return one symbol's grade."""
    files = _graded(root_of(settings, market), batch)
    request.state.batch = files.key
    fresh(request, response, [files.grades])
    answer = shown_grades(files)
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


def create_app(settings: Settings) -> FastAPI:
    """Return the application for one data root."""
    app = FastAPI(title="RankAlpha grading API", version="1", docs_url=None, redoc_url=None)
    app.state.settings = settings
    for routes in (
        router,
        markets.router,
        symbols.router,
        routes_of_history.router,
        refreshing.router,
        publishing.router,
    ):
        app.include_router(routes)
    app.include_router(described.router, include_in_schema=False)
    bound(app)
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
