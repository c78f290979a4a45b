"""The routes about evaluations: show one, and read the one that is shown.

What is shown is evaluations/<batch>.json, a link to the file of one version, as it is with grades.
"""

from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response
from pydantic import BaseModel, ValidationError

from apps.api.etags import fresh
from apps.api.requests import BatchQuery, Configured, MarketQuery, PublishRequest, check_place, root_of
from apps.common.batches import of_batches
from apps.common.files import flush, link
from apps.common.stage import BadData
from apps.common.versions import Version
from apps.evaluation.form import Evaluation

VOLUME, FILE = "evaluations", "evaluation.json"

router, publishing = APIRouter(), APIRouter()


class ShownAnswer(BaseModel):
    """What is shown now; `market` is there when the request named one."""

    batch: str
    market: str | None = None


@publishing.post("/api/v1/evaluation/publish", response_model_exclude_none=True)
def publish(request: Request, settings: Configured, body: PublishRequest) -> ShownAnswer:
    """Show a version of a batch's evaluation, after its bytes are verified. Safe to repeat.

    It may be that of an earlier batch, whose grades this one has carried over.
    """
    request.state.batch = body.batch
    check_place("version", body.version, f"{VOLUME}/")
    root = root_of(settings, body.market)
    version = Version(root / body.version.path, body.version.sha256)
    if version.batch > body.batch:
        raise HTTPException(422, f"version.path: {body.version.path} is of a newer batch than {body.batch}")
    file = version.file(FILE)
    shown = root / VOLUME / f"{body.batch}.json"
    link(file, shown)
    flush(shown.parent)
    return ShownAnswer(batch=body.batch, market=body.market)


@router.get("/api/v1/grading/record")
def record(
    request: Request,
    response: Response,
    settings: Configured,
    batch: BatchQuery = None,
    market: MarketQuery = None,
) -> Evaluation:
    """Return the record of the grades as a batch's evaluation has it; without a batch the newest."""
    volume = root_of(settings, market) / VOLUME
    shown = [path for path in of_batches(volume) if path.suffix == ".json"]
    known = [volume / f"{batch}.json"] if batch else shown[-1:]
    if not known or not known[0].is_file():
        raise HTTPException(
            404, f"batch {batch} is not evaluated" if batch else "no batch has been evaluated yet"
        )
    request.state.batch = known[0].stem
    fresh(request, response, known)
    return _read(known[0])


def _read(path: Path) -> Evaluation:
    try:
        return Evaluation.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise BadData(f"{path} is not an evaluation: clear show_evaluations of this batch") from error
