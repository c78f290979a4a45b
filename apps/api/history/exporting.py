"""The route that gives rows of the record as a file."""

from io import BytesIO
from typing import Annotated, Literal

import polars as pl
from fastapi import APIRouter, HTTPException, Query, Request, Response

from apps.api.etags import fresh
from apps.api.history.reading import Record
from apps.api.history.routes import Since, Until
from apps.api.requests import BatchQuery, Configured, MarketQuery, root_of

router = APIRouter(prefix="/api/v1/grading")

MEDIA = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}
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
    """Return a file with a batch, or all batches from one day to another; if left out, the newest batch."""
    if batch and (since or until):
        raise HTTPException(422, "name either a batch or days, not both")
    kept = Record(root_of(settings, market))
    fresh(request, response, kept.paths())
    if since or until:
        rows, name = kept.between(since, until), f"grades-{since or 'first'}-{until or 'newest'}"
    else:
        found = kept.batch(batch)
        rows, name = kept.rows(found), f"grades-{found.batch.replace(':', '')}"
    headers = {**response.headers, "Content-Disposition": f'attachment; filename="{name}.{form}"'}
    headers.pop("content-length", None)
    return Response(_file(rows.drop("shown_at"), form), headers=headers, media_type=MEDIA[form])


def _file(rows: pl.DataFrame, form: str) -> bytes:
    if form == "csv":
        return rows.write_csv().encode()
    file = BytesIO()
    rows.write_parquet(file, compression="zstd")
    return file.getvalue()
