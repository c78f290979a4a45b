"""The routes about the grades that are shown."""

from functools import lru_cache
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request, Response

from apps.api.batches import BatchFiles, graded
from apps.api.etags import fresh
from apps.api.history.symbol_answers import SparklinesAnswer
from apps.api.records import Grade, GradesAnswer
from apps.api.requests import BatchQuery, Configured, MarketQuery, root_of
from apps.api.versions import shown_grades
from apps.common.compared import Marks, marks

router = APIRouter(prefix="/api/v1/grading")

EMPTY: dict[str, list[float] | None] = {"sparkline": [], "signals": None}  # of who does not want them


@router.get("/grades", response_model=GradesAnswer)
def list_grades(
    request: Request,
    response: Response,
    settings: Configured,
    batch: BatchQuery = None,
    market: MarketQuery = None,
    limit: Annotated[int | None, Query(ge=1, description="how many grades at most; if left out, all")] = None,
    offset: Annotated[int, Query(ge=0, description="how many grades to skip")] = 0,
    sparklines: Annotated[bool, Query(description="false: the sparklines are empty lists")] = True,
    signals: Annotated[bool, Query(description="false: the signals are null")] = True,
) -> Response:
    """Return the grades of a batch, best first; without a batch those of the newest graded one."""
    files = _graded(root_of(settings, market), batch)
    request.state.batch = files.key
    fresh(request, response, [files.grades])
    asked = {"sparkline": sparklines, "signals": signals}
    unsaid = tuple(name for name, wanted in asked.items() if not wanted)
    text = _text(files, limit, offset, unsaid, marks(files.grades))
    return Response(text, headers=dict(response.headers), media_type="application/json")


@router.get("/sparklines")
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
    grades = _shown(files, marks(files.grades)).grades
    lines = {grade.symbol: grade.sparkline for grade in grades if grade.symbol in wanted}
    return SparklinesAnswer(batch=files.key, sparklines=lines)


@router.get("/grades/{symbol}")
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
    answer = _shown(files, marks(files.grades))
    for grade in answer.grades:
        if grade.symbol == symbol.upper():
            return grade
    raise HTTPException(404, f"this symbol has no grade in batch {answer.batch}")


def _graded(root: Path, key: str | None) -> BatchFiles:
    """Return the batch of `key`, or the newest graded one."""
    known = [BatchFiles(root, key)] if key else graded(root)
    if not known or not known[0].grades.is_file():
        raise HTTPException(404, f"batch {key} is not graded" if key else "no batch has been graded yet")
    return known[0]


# The page asks for the newest batch again and again; to read 5,000 grades takes longer than all else.
@lru_cache(maxsize=4)
def _shown(files: BatchFiles, _marks: Marks) -> GradesAnswer:
    return shown_grades(files)


@lru_cache(maxsize=8)
def _text(files: BatchFiles, limit: int | None, offset: int, unsaid: tuple[str, ...], found: Marks) -> str:
    """Return some grades as JSON; `unsaid` are the fields that are left empty."""
    answer = _shown(files, found)
    some = answer.grades[offset:][:limit]
    if unsaid:
        some = [grade.model_copy(update={name: EMPTY[name] for name in unsaid}) for grade in some]
    return answer.model_copy(update={"grades": some, "total": len(answer.grades)}).model_dump_json()
