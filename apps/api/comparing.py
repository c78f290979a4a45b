"""The route that compares two versions of grades of one batch; it writes nothing."""

from typing import Any

import polars as pl
from fastapi import APIRouter, Request
from pydantic import BaseModel

from apps.api import versions
from apps.api.batches import BatchFiles, BatchKey, MarketName
from apps.api.records import LETTERS, Grades
from apps.api.requests import Configured, check_place, root_of
from apps.common.manifest import Reference
from apps.common.versions import Version

NAMED = 20  # symbols with another letter that an answer names
SCHEMA = {"symbol": pl.String, "rank": pl.Int64, "grade": pl.String}

router = APIRouter()


class CompareRequest(BaseModel):
    """Two versions of grades of a batch."""

    batch: BatchKey
    market: MarketName | None = None
    champion: Reference
    challenger: Reference


@router.post("/api/v1/grading/compare")
def compare(request: Request, settings: Configured, body: CompareRequest) -> dict[str, Any]:
    """Compare two versions of grades, and answer a result like that of a stage."""
    request.state.batch = body.batch
    root = root_of(settings, body.market)
    files = BatchFiles(root, body.batch)
    both = []
    for name, reference in (("champion", body.champion), ("challenger", body.challenger)):
        check_place(name, reference, "grades/")
        both.append(versions.read(files, Version(root / reference.path, reference.sha256)).grades)
    market = {"market": body.market} if body.market else {}
    return {"batch": body.batch, **market, **compared(*both)}


def compared(champion: Grades, challenger: Grades, *, named: int | None = NAMED) -> dict[str, Any]:
    """Return rows, symbols, as_of and details of a comparison; `rows` are the symbols that both grade.

    `rank_correlation` is Spearman's, of those; None when fewer than two. `top_overlap` is how many of the
    champion's first are among the challenger's first, where `top` says how many are looked at: the
    champion's symbols with an A, and one at least. `changed_symbols` are the first `named`; None: all.
    """
    one, other = _frame(champion), _frame(challenger)
    common = one.join(other, on="symbol", suffix="_new", maintain_order="left")
    changed = common.filter(pl.col("grade") != pl.col("grade_new"))
    moves = changed.select("symbol", "grade", "grade_new")[:named].iter_rows()
    rho = common.select(pl.corr("rank", "rank_new", method="spearman")).item() if common.height > 1 else None
    top = max(champion.distribution[LETTERS[0]], 1)
    letters = {"champion": champion.distribution, "challenger": challenger.distribution}
    return {
        "rows": common.height,
        "symbols": common.height,
        "as_of": min(champion.as_of, challenger.as_of).isoformat(),
        "details": {
            "changed": changed.height,
            "changed_symbols": ", ".join(f"{symbol} {old}-{new}" for symbol, old, new in moves),
            "champion_only": one.height - common.height,
            "challenger_only": other.height - common.height,
            "rank_correlation": rho,
            "top": top,
            "top_overlap": one.head(top).join(other.head(top), on="symbol", how="semi").height,
            **{f"{who}_{letter}": counts[letter] for who, counts in letters.items() for letter in LETTERS},
        },
    }


def _frame(grades: Grades) -> pl.DataFrame:
    """Return symbol, rank and grade, best first."""
    rows = [(grade.symbol, grade.rank, grade.grade) for grade in grades.grades]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")
