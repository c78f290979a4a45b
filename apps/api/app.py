"""The HTTP interface: refresh a batch's grades, read them, and check the service's health."""

import logging
import time
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from apps.api.batches import DEFAULT_MARKET, BatchFiles, BatchKey, MarketName, batches, graded, listed
from apps.api.grading import grade_batch
from apps.api.records import Grade, GradesAnswer, read_grades
from apps.api.settings import Settings
from apps.common.bounds import bound
from apps.common.stage import BadData

log = logging.getLogger("rankalpha.api")
router = APIRouter()


class RefreshRequest(BaseModel):
    """Body of a refresh; without a batch the newest that has both halves is graded."""

    batch: BatchKey | None = None
    market: MarketName | None = None  # None: the default market


class RefreshAnswer(BaseModel):
    """What a refresh has done; `market` is there when the request named one."""

    batch: str
    market: str | None = None
    as_of: date
    graded: int
    distribution: dict[str, int]
    checksum: str


class Health(BaseModel):
    """The service answers; the keys show its newest batches."""

    status: str = "ok"
    newest_batch: str | None  # ingested
    newest_graded: str | None


def current_settings(request: Request) -> Settings:
    """Return the settings that the app was created with."""
    settings: Settings = request.app.state.settings
    return settings


Configured = Annotated[Settings, Depends(current_settings)]
MarketQuery = Annotated[MarketName | None, Query(description="name of a market that is not the default")]
BatchQuery = Annotated[BatchKey | None, Query(description="batch key, such as 2026-11-22T06:00:00")]


@router.post("/api/v1/grading/refresh", response_model_exclude_none=True)
# some deployments of the orchestrator can only GET
@router.get("/api/v1/grading/refresh", response_model_exclude_none=True)
def refresh(
    request: Request,
    settings: Configured,
    body: RefreshRequest | None = None,
    batch: BatchQuery = None,
    market: MarketQuery = None,
) -> RefreshAnswer:
    """Grade a batch, named in the body or the query. Safe to repeat."""
    asked, market = (body and body.batch) or batch, (body and body.market) or market
    request.state.batch = asked or "newest"  # for the log line of a refusal
    files = _to_grade(_root(settings, market), asked)
    request.state.batch = files.key
    done = grade_batch(files, settings.sentiment_weight)
    return RefreshAnswer(
        batch=files.key,
        market=market,
        as_of=done.grades.as_of,
        graded=len(done.grades.grades),
        distribution=done.distribution,
        checksum=done.checksum,
    )


@router.get("/api/v1/grading/grades")
def list_grades(
    request: Request, settings: Configured, batch: BatchQuery = None, market: MarketQuery = None
) -> GradesAnswer:
    """Return the grades of a batch, best first; without a batch those of the newest graded one."""
    files = _graded(_root(settings, market), batch)
    request.state.batch = files.key
    return read_grades(files.grades)


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


def _root(settings: Settings, market: str | None) -> Path:
    """Return the folder of a market's data; refuse a market that is not listed, such as a removed one."""
    if not market or market == DEFAULT_MARKET:
        return settings.data_dir
    known = listed(settings.markets) if settings.markets else None
    if known is not None and market not in known:
        raise HTTPException(422, f"there is no market {market!r}; there are {', '.join(sorted(known))}")
    return settings.data_dir / market


def _to_grade(root: Path, key: str | None) -> BatchFiles:
    """Return the batch of `key`, or the newest complete one; refuse what cannot be graded yet."""
    known = [BatchFiles(root, key)] if key else batches(root)
    if not known or not known[0].known():
        raise HTTPException(404, f"batch {key} is unknown" if key else "no batch has been ingested yet")
    for files in known:
        if not files.missing():
            return files
    raise HTTPException(409, f"batch {known[0].key} is incomplete: missing {', '.join(known[0].missing())}")


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


def corrupt(_request: Request, error: Exception) -> JSONResponse:
    """Answer 500 and name the corrupt file."""
    log.error("%s", error)
    return JSONResponse({"detail": str(error)}, status_code=500)


def create_app(settings: Settings) -> FastAPI:
    """Return the application for one data root."""
    app = FastAPI(title="RankAlpha grading API", version="1")
    app.state.settings = settings
    app.include_router(router)
    bound(app)
    app.middleware("http")(log_request)
    app.add_exception_handler(BadData, corrupt)
    return app
