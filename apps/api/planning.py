"""The routes of a plan: what would be graded from versions that nobody publishes, and their removal."""

import re
import shutil
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import BaseModel, Field

from apps.api import versions
from apps.api.batches import BatchFiles, BatchKey, MarketName
from apps.api.comparing import compared
from apps.api.grading import graded_from
from apps.api.records import Grades
from apps.api.requests import Configured, Dataset, MarketQuery, check_inputs, check_place, root_of
from apps.common.batches import is_key
from apps.common.compared import unchanged
from apps.common.manifest import Reference
from apps.common.versions import Version

# no attempt of a task gives a version such a name, so that none of them is ever published
PLANNED = re.compile(r"[a-z_]+/[^/]+/[a-z0-9_]+-[0-9a-f]{8}-plan")

router = APIRouter()


class PreviewRequest(BaseModel):
    """What to grade, and the version of grades to compare it with."""

    batch: BatchKey
    market: MarketName | None = None
    champion: Reference
    inputs: dict[Dataset, Reference]
    # share of sentiment in the composite; None: that of the champion's grades
    sentiment_weight: float | None = Field(default=None, ge=0, le=1)


class Discarded(BaseModel):
    """Whether the version was there."""

    removed: bool


@router.post("/api/v1/grading/preview")
def preview(request: Request, settings: Configured, body: PreviewRequest) -> dict[str, Any]:
    """Grade versions and compare the grades with a version of them; nothing is written.

    The answer is a result like that of a stage, with the `comparison` beside it.
    """
    request.state.batch = body.batch
    check_place("champion", body.champion, f"grades/{body.batch}/")
    check_inputs(body.inputs)
    if missing := {"scores", "sentiment"} - body.inputs.keys():
        raise HTTPException(422, f"inputs: {' and '.join(sorted(missing))} missing")
    root = root_of(settings, body.market)
    files = BatchFiles(root, body.batch).reading(body.inputs)
    champion = versions.read(files, Version(root / body.champion.path, body.champion.sha256)).grades
    weight = champion.sentiment_weight if body.sentiment_weight is None else body.sentiment_weight
    with unchanged():
        grades = graded_from(files, weight)
    number = len(grades.grades)
    return {
        "batch": body.batch,
        **({"market": body.market} if body.market else {}),
        "rows": number,
        "symbols": number,
        "as_of": grades.as_of.isoformat(),
        "details": grades.distribution,
        "comparison": _compared(champion, grades),
    }


def _compared(champion: Grades, grades: Grades) -> dict[str, Any]:
    """Return a comparison in which every symbol that differs is named."""
    found = compared(champion, grades, named=None)
    old, new = (dict.fromkeys(grade.symbol for grade in each.grades) for each in (champion, grades))
    found["details"] |= {
        "champion_only_symbols": ", ".join(symbol for symbol in old if symbol not in new),
        "challenger_only_symbols": ", ".join(symbol for symbol in new if symbol not in old),
    }
    return found


@router.delete("/api/v1/planned")
def discard(
    settings: Configured,
    path: Annotated[str, Query(description="<volume>/<batch>/<version>")],
    market: MarketQuery = None,
) -> Discarded:
    """Remove what a stage has written for a plan; no other version is removed. Safe to repeat."""
    if not PLANNED.fullmatch(path) or not is_key(path.split("/")[1]):
        raise HTTPException(422, "expected the path of a version that a plan has made; no other is removed")
    folder = root_of(settings, market) / path
    removed = folder.is_dir()
    if removed:
        shutil.rmtree(folder)
    return Discarded(removed=removed)
