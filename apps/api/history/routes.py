"""The routes of the record: which batches there are, a symbol's history, changes, export and rebuild."""

import json
from datetime import date
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request, Response
from pydantic import BaseModel

from apps.api.answers import direct
from apps.api.batches import BatchFiles, BatchKey, MarketName
from apps.api.etags import fresh
from apps.api.history.answers import (
    BatchesAnswer,
    BatchLine,
    ChangesAnswer,
    HistoryAnswer,
    HistoryRow,
)
from apps.api.history.reading import Record
from apps.api.history.rebuilding import Rebuilt, rebuild
from apps.api.history.rows import SIGNALS
from apps.api.requests import Configured, MarketQuery, root_of

router = APIRouter(prefix="/api/v1/grading")

MOST = 10_000
MOST_SKIPPED = 1_000_000_000
Limit = Annotated[int, Query(ge=1, le=MOST, description="how many of the list at most")]
Offset = Annotated[int, Query(ge=0, le=MOST_SKIPPED, description="how many of the list to skip")]
Since = Annotated[
    date | None, Query(alias="from", description="first day of the batches, such as 2026-11-22")
]
Until = Annotated[date | None, Query(alias="to", description="last day of the batches")]
FROM = Query(alias="from", description="batch key; if left out, the batch before `to`")
TO = Query(description="batch key; if left out, the newest")


class RebuildRequest(BaseModel):
    """Body of a rebuild."""

    market: MarketName | None = None


@router.get("/batches")
def list_batches(
    request: Request,
    response: Response,
    settings: Configured,
    market: MarketQuery = None,
    limit: Limit = 250,
    offset: Offset = 0,
) -> BatchesAnswer:
    """Return the graded batches, newest first, also those whose files are gone."""
    kept = Record(root_of(settings, market))
    fresh(request, response, [kept.root / "grades", *kept.paths()])
    found = kept.batches()
    lines = [
        BatchLine(**each.model_dump(), kept=BatchFiles(kept.root, each.batch).grades.is_file())
        for each in found[offset : offset + limit]
    ]
    return BatchesAnswer(total=len(found), limit=limit, offset=offset, batches=lines)


@router.get("/symbols/{symbol}/history", response_model=HistoryAnswer)
def symbol_history(
    request: Request,
    response: Response,
    symbol: str,
    settings: Configured,
    market: MarketQuery = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 250,
    offset: Offset = 0,
) -> Response:
    """Return a symbol's grades, newest first; it may have left the universe since."""
    kept = Record(root_of(settings, market))
    fresh(request, response, kept.paths())
    rows = kept.symbol(symbol.upper(), since, until)
    if rows.is_empty() and not kept.known(symbol.upper()):
        raise HTTPException(404, "this symbol has never been graded")
    named = rows.row(0, named=True) if rows.height else {}
    answer = HistoryAnswer(
        symbol=symbol.upper(),
        name=named.get("name"),
        sector=named.get("sector"),
        total=rows.height,
        limit=limit,
        offset=offset,
        history=[_history_row(row) for row in rows.slice(offset, limit).iter_rows(named=True)],
    )
    return direct(answer, response)


def _history_row(row: dict[str, object]) -> HistoryRow:
    return HistoryRow.model_validate({**row, "signals": {name: row[f"{name}_signal"] for name in SIGNALS}})


@router.get("/changes", response_model=ChangesAnswer)
def changes(
    request: Request,
    response: Response,
    settings: Configured,
    earlier: Annotated[BatchKey | None, FROM] = None,
    to: Annotated[BatchKey | None, TO] = None,
    market: MarketQuery = None,
    limit: Limit = 250,
    offset: Offset = 0,
) -> Response:
    """Return how each symbol has moved from one batch to another, and what the move is made of.

    The largest moves come first, then the symbols that entered, then those that left.
    """
    kept = Record(root_of(settings, market))
    fresh(request, response, kept.paths())
    after = kept.batch(to)
    before = kept.batch(earlier) if earlier else kept.before(after.batch)
    if before is None:
        raise HTTPException(404, f"there is no batch before {after.batch}, so nothing can have changed")
    found = kept.moves(before, after)
    about = {"total": found.height, "limit": limit, "offset": offset, "from": before.batch, "to": after.batch}
    listed = found.slice(offset, limit).write_json()  # models would take a quarter of a second for 5,000
    content = f'{json.dumps(about)[:-1]}, "changes": {listed}}}'
    return Response(content, headers=dict(response.headers), media_type="application/json")


@router.post("/history/rebuild")
def rebuild_history(settings: Configured, body: RebuildRequest | None = None) -> Rebuilt:
    """Record each batch whose grades are there; damaged files are moved aside first. Safe to repeat."""
    return rebuild(root_of(settings, body.market if body else None))
