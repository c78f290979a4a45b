"""The routes about versions: show one, and compare one with what was published."""

from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, HTTPException, Query, Request
from pydantic import BaseModel, ValidationError

from apps.api import versions
from apps.api.answers import RefreshAnswer
from apps.api.batches import BatchFiles
from apps.api.history.record import catch_up, record
from apps.api.requests import Configured, MarketQuery, PublishRequest, check_place, root_of
from apps.common.manifest import Reference
from apps.common.versions import Version

router = APIRouter()


class Verified(BaseModel):
    """Whether a version is what was published, and what differs."""

    ok: bool
    problems: list[str]


@router.post("/api/v1/grading/publish", response_model_exclude_none=True)
def publish(
    request: Request, settings: Configured, body: PublishRequest, after: BackgroundTasks
) -> RefreshAnswer:
    """Show a version of a batch's grades, after its bytes are verified. Safe to repeat."""
    request.state.batch = body.batch
    check_place("version", body.version, f"grades/{body.batch}/")
    files = BatchFiles(root_of(settings, body.market), body.batch)
    version = Version(files.data_dir / body.version.path, body.version.sha256)
    done = versions.show(files, version)
    after.add_task(catch_up, files.data_dir)  # nobody waits for older batches
    return RefreshAnswer.of(files.key, body.market, done, record(files))


@router.get("/api/v1/verify")
def verify(
    settings: Configured,
    path: Annotated[str, Query(description="<volume>/<batch>/<version>")],
    sha256: Annotated[str, Query(description="checksum of the version")],
    market: MarketQuery = None,
    shown: Annotated[
        bool, Query(description="whether a version of grades must be the one that is shown")
    ] = False,
) -> Verified:
    """Compare each file of a version with what was published."""
    try:
        reference = Reference(path=path, sha256=sha256)
    except ValidationError as error:
        raise HTTPException(
            422, "expected a path <volume>/<batch>/<version> and 64 hexadecimal digits"
        ) from error
    root = root_of(settings, market)
    version = Version(root / reference.path, reference.sha256)
    problems = version.problems()
    if shown and reference.path.startswith("grades/"):
        problems += versions.another_shown(BatchFiles(root, version.batch), version)
    return Verified(ok=not problems, problems=problems)
