"""The route about one symbol: its grade, why it is that, and what it was made from."""

from typing import Annotated

import polars as pl
from fastapi import APIRouter, HTTPException, Query, Request, Response

from apps.api.batches import BatchFiles
from apps.api.behind import headlines, paths, prices
from apps.api.etags import fresh
from apps.api.history.answers import Place
from apps.api.history.contributions import why
from apps.api.history.months import Shown
from apps.api.history.reading import Record
from apps.api.history.rows import SIGNALS
from apps.api.history.symbol_answers import SymbolAnswer
from apps.api.requests import BatchQuery, Configured, MarketQuery, root_of

router = APIRouter(prefix="/api/v1/grading")

MOST_CLOSES = 5_000
Closes = Annotated[int, Query(ge=0, le=MOST_CLOSES, description="how many of the newest closes at most")]


@router.get("/symbols/{symbol}")
def get_symbol(
    request: Request,
    response: Response,
    symbol: str,
    settings: Configured,
    batch: BatchQuery = None,
    market: MarketQuery = None,
    closes: Closes = 250,
) -> SymbolAnswer:
    """Return a symbol's grade in a batch, why it is that, its headlines and closes.

    What is not known is null, and `missing` says why, such as that the files of an old batch were removed.
    """
    kept = Record(root_of(settings, market))
    found = kept.batch(batch)
    files = BatchFiles(kept.root, found.batch)
    request.state.batch = found.batch
    fresh(request, response, [*kept.paths(), *paths(files, found)])
    rows = kept.rows(found, pl.col("symbol") == symbol.upper())
    if rows.is_empty():
        raise HTTPException(404, f"this symbol has no grade in batch {found.batch}")
    row, before, missing = rows.row(0, named=True), kept.before(found.batch), list[str]()
    return SymbolAnswer.model_validate(
        {
            **row,
            "symbols": found.symbols,
            "why": why(rows),
            "signals": {name: row[f"{name}_signal"] for name in SIGNALS},
            "before": _place(kept, before, symbol.upper()),
            "before_batch": before.batch if before else None,
            "headlines": headlines(files, found, row, missing),
            "prices": prices(files, found, row["symbol"], closes, missing),
            "missing": missing,
        }
    )


def _place(kept: Record, batch: Shown | None, symbol: str) -> Place | None:
    rows = kept.rows(batch, pl.col("symbol") == symbol) if batch else None
    return None if rows is None or rows.is_empty() else Place.model_validate(rows.row(0, named=True))
