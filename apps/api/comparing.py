"""The route that compares two versions of grades of one batch; nothing that is shown changes."""

from typing import Annotated, Any

import polars as pl
from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from apps.api import pairs, versions
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
    # whose record it is part of: its name, and a hash of what it and its champion are; None: of no record
    variant: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,90}-[0-9a-f]{8}$")] | None = None
    champion: Reference
    challenger: Reference


@router.post("/api/v1/grading/compare")
def compare(request: Request, settings: Configured, body: CompareRequest) -> dict[str, Any]:
    """Compare two versions of grades, and answer a result like that of a stage.

    Of a `variant` it also answers what A minus F of both was worth in all batches compared until this one.
    """
    request.state.batch = body.batch
    root = root_of(settings, body.market)
    files = BatchFiles(root, body.batch)
    both = []
    for name, reference in (("champion", body.champion), ("challenger", body.challenger)):
        check_place(name, reference, "grades/")
        both.append(versions.read(files, Version(root / reference.path, reference.sha256)))
    champion, challenger = (graded.grades for graded in both)
    answer = compared(champion, challenger)
    if body.variant:
        made_from = both[0].version.inputs.get("prices") if both[0].version else None
        prices = Version(root / made_from.path, made_from.sha256) if made_from else None
        pairs.record(root, body.variant, champion, challenger)
        answer["details"] |= pairs.returns(root, body.variant, body.batch, prices)
    return {"batch": body.batch, **({"market": body.market} if body.market else {}), **answer}


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
