"""The route that grades a batch."""

from pathlib import Path

from fastapi import APIRouter, BackgroundTasks, HTTPException, Request

from apps.api import versions
from apps.api.answers import RefreshAnswer
from apps.api.batches import BatchFiles, batches, graded
from apps.api.grading import graded_from
from apps.api.history.record import catch_up, is_recorded, record
from apps.api.records import write_grades
from apps.api.requests import BatchQuery, Configured, MarketQuery, RefreshRequest, check_inputs, root_of
from apps.api.versions import Graded
from apps.common.batches import prune_followers, sweep
from apps.common.compared import unchanged
from apps.common.files import checksum
from apps.common.stage import StageError

router = APIRouter()


@router.post("/api/v1/grading/refresh", response_model_exclude_none=True)
# some deployments of the orchestrator can only GET
@router.get("/api/v1/grading/refresh", response_model_exclude_none=True)
def refresh(
    request: Request,
    settings: Configured,
    after: BackgroundTasks,
    body: RefreshRequest | None = None,
    batch: BatchQuery = None,
    market: MarketQuery = None,
) -> RefreshAnswer:
    """Grade a batch, named in the body or the query. Safe to repeat.

    A request that names a `version` writes it beside what is shown; otherwise the grades are shown at once.
    """
    body = body or RefreshRequest()
    asked, market = body.batch or batch, body.market or market
    request.state.batch = asked or "newest"  # for the log line of a refusal
    root = root_of(settings, market)
    if body.version:
        files = _candidate_of(root, asked, body)
        weight = settings.sentiment_weight if body.sentiment_weight is None else body.sentiment_weight
        with unchanged():
            grades = graded_from(files, weight, body.session)
        grades = grades.carried_over(body.same_inputs)
        done, problem = versions.make(files, body.version, grades), None
    else:
        files = _to_grade(root, asked)
        done = _grade_and_show(files, settings.sentiment_weight)
        problem = record(files)
        after.add_task(catch_up, root)  # nobody waits for older batches
    request.state.batch = files.key
    _prune(root, body)
    return RefreshAnswer.of(files.key, market, done, problem)


def _candidate_of(root: Path, key: str | None, body: RefreshRequest) -> BatchFiles:
    """Return the batch with the versions that the request names; refuse one that cannot be graded yet."""
    if not key:
        raise HTTPException(422, "a request that names a version names its batch, too")
    check_inputs(body.inputs)
    files = BatchFiles(root, key).reading(body.inputs)
    if missing := [] if {"scores", "sentiment"} <= set(body.inputs) else files.missing():
        raise HTTPException(409, f"batch {key} is incomplete: missing {', '.join(missing)}")
    return files


def _to_grade(root: Path, key: str | None) -> BatchFiles:
    """Return the batch of `key`, or the newest that can be graded; refuse what cannot be graded yet."""
    known = [BatchFiles(root, key)] if key else batches(root)
    if not known or not known[0].known():
        raise HTTPException(404, f"batch {key} is unknown" if key else "no batch has been ingested yet")
    for files in known:
        if versions.shown(files) or not files.missing():
            return files
    text = f"batch {known[0].key} is incomplete: missing {', '.join(known[0].missing())}"
    if known[0].versioned():
        text = f"which versions of batch {known[0].key} are published, only Airflow knows"
        text += "; trigger rankalpha_grading with this batch as partition key"
    raise HTTPException(409, text)


def _grade_and_show(files: BatchFiles, sentiment_weight: float) -> Graded:
    """Grade again what is shown; a batch from before there were versions has its file written in place."""
    if version := versions.shown(files):
        return versions.grade_again(files, version, sentiment_weight)
    grades = graded_from(files, sentiment_weight)
    write_grades(files.grades, grades)
    return Graded(grades, checksum(files.grades))


def _prune(root: Path, body: RefreshRequest) -> None:
    volume = root / "grades"
    prune_followers(volume, keep=_to_be_recorded(root))
    if body.keep:
        sweep(volume, body.keep, lambda folder: _is_shown(root, folder))


def _to_be_recorded(root: Path) -> list[str]:
    """Return the batches whose grades must not go yet, because the record does not have them."""
    oldest = min((files.key for files in batches(root)), default="")
    old = (files for files in graded(root) if files.key < oldest)
    return [files.key for files in old if not is_recorded(files) and _can_be_read(files)]


def _can_be_read(files: BatchFiles) -> bool:
    try:
        return versions.shown_grades(files).batch == files.key
    except (StageError, OSError):
        return False


def _is_shown(root: Path, folder: Path) -> bool:
    version = versions.shown(BatchFiles(root, folder.parent.name))
    return version is not None and version.folder == folder
