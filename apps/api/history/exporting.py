"""The route that gives rows of the record as a file."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from io import BytesIO
from threading import Lock
from typing import Annotated, Literal

import polars as pl
from fastapi import APIRouter, HTTPException, Query, Request, Response

from apps.api.etags import fresh
from apps.api.history.reading import Record
from apps.api.history.routes import Since, Until
from apps.api.requests import BatchQuery, Configured, MarketQuery, root_of

router = APIRouter(prefix="/api/v1/grading")

MEDIA = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}
MOST_ROWS = 250_000  # an answer is made in memory, of which the API has 0.5 GB
MAKING = Lock()
FORMULA = r"^([=+\-@\t\r])"  # what a spreadsheet would compute
CONTENT: dict[str, dict[str, str]] = {media: {} for media in MEDIA.values()}


@router.get("/export", response_class=Response, responses={200: {"content": CONTENT}})
def export(
    request: Request,
    response: Response,
    settings: Configured,
    form: Annotated[Literal["csv", "parquet"], Query(alias="format")] = "csv",
    batch: BatchQuery = None,
    since: Since = None,
    until: Until = None,
    market: MarketQuery = None,
) -> Response:
    """Return a file with a batch, or all batches from one day to another; if left out, the newest batch.

    422 for more than 250,000 rows: ask for fewer days at a time. 429 while another one is made. In CSV a text
    that a spreadsheet would compute has a ' before it.
    """
    if batch and (since or until):
        raise HTTPException(422, "name either a batch or days, not both")
    kept = Record(root_of(settings, market))
    fresh(request, response, kept.paths())
    with _one_at_a_time():
        rows, name = _wanted(kept, batch, since, until)
        content = _file(rows.drop("shown_at"), form)
    file = "-".join(filter(None, ("grades", market, name)))
    headers = {**response.headers, "Content-Disposition": f'attachment; filename="{file}.{form}"'}
    return Response(content, headers=headers, media_type=MEDIA[form])


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    if not MAKING.acquire(blocking=False):
        raise HTTPException(429, "another export is being made; ask again in some seconds")
    try:
        yield
    finally:
        MAKING.release()


def _wanted(
    kept: Record, batch: str | None, since: date | None, until: date | None
) -> tuple[pl.DataFrame, str]:
    """Return the rows, and what the name of the file says of them."""
    if since or until:
        if (number := kept.number(since, until)) > MOST_ROWS:
            detail = f"{number} rows, and an export has {MOST_ROWS} at most; ask for fewer days at a time"
            raise HTTPException(422, detail)
        return kept.between(since, until), f"{since or 'first'}-{until or 'newest'}"
    found = kept.batch(batch)
    return kept.rows(found), found.batch.replace(":", "")


def _file(rows: pl.DataFrame, form: str) -> bytes:
    file = BytesIO()
    if form == "csv":
        rows.with_columns(pl.col(pl.String).str.replace(FORMULA, "'$1")).write_csv(file)
    else:
        rows.write_parquet(file, compression="zstd")
    return file.getvalue()
