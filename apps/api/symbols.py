"""The route about one symbol: its grade, why it is that, and what it was made from."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request, Response

from apps.api.answers import direct
from apps.api.batches import BatchFiles
from apps.api.behind import headlines, prices, sources
from apps.api.etags import fresh
from apps.api.history.contributions import why
from apps.api.history.reading import Record
from apps.api.history.rows import SIGNALS
from apps.api.history.symbol_answers import SymbolAnswer
from apps.api.requests import BatchQuery, Configured, MarketQuery, root_of

router = APIRouter(prefix="/api/v1/grading")

MOST_CLOSES = 5_000
Closes = Annotated[int, Query(ge=0, le=MOST_CLOSES, description="how many of the newest closes at most")]


@router.get("/symbols/{symbol}", response_model=SymbolAnswer)
def get_symbol(
    request: Request,
    response: Response,
    symbol: str,
    settings: Configured,
    batch: BatchQuery = None,
    market: MarketQuery = None,
    closes: Closes = 250,
) -> Response:
    """Return a symbol's grade in a batch, why it is that, its headlines and closes.

    What is not known is null, and `missing` says why, such as that the files of an old batch were removed.
    """
    kept = Record(root_of(settings, market))
    found = kept.batch(batch)
    files = BatchFiles(kept.root, found.batch)
    request.state.batch = found.batch
    fresh(request, response, [*kept.paths(), *sources(files, found)])
    before = kept.before(found.batch)
    rows = kept.of_symbol(symbol.upper(), [found, *([before] if before else [])])
    if found.batch not in rows:
        raise HTTPException(404, f"this symbol has no grade in batch {found.batch}")
    row, missing = rows[found.batch].row(0, named=True), list[str]()
    answer = SymbolAnswer.model_validate(
        {
            **row,
            "symbols": found.symbols,
            "why": why(rows[found.batch]),
            "signals": {name: row[f"{name}_signal"] for name in SIGNALS},
            "before": rows[before.batch].row(0, named=True) if before and before.batch in rows else None,
            "before_batch": before.batch if before else None,
            "headlines": headlines(files, found, row, missing),
            "prices": prices(files, found, row["symbol"], closes, missing),
            "missing": missing,
        }
    )
    return direct(answer, response)
