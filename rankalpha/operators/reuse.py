"""Nothing new, nothing runs: whether an earlier version is what the container of a stage would make now."""

import hmac
import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, NamedTuple

from airflow.sdk import Context, conf

from rankalpha.operators import given
from rankalpha.operators.given import Reader, cleared, joined
from rankalpha.operators.on_disk import problem_on_disk
from rankalpha.pipeline.batch import TRIAL
from rankalpha.pipeline.market import Market
from rankalpha.pipeline.reuse import (
    CONTENT,
    REUSABLE_KEY,
    contents,
    earlier_batches,
    result_to_reuse,
    session_of,
)
from rankalpha.pipeline.steps import SHAPE, TRAINING
from rankalpha.stages.call import Call
from rankalpha.stages.given import CHECKSUM, INPUT_FOLDER
from rankalpha.stages.job import StageJob
from rankalpha.stages.output import REUSE

Results = Mapping[str, Mapping[str, Any]]  # of the inputs of a batch, by dataset of the default market
NOT_USED_AGAIN = "The container runs, because the version of batch %s cannot be used again: %s"
SAME_INPUTS = "same_inputs"  # in the body of a call
WRITES = {step.stage: step.writes for step in SHAPE if step.stage}


def results_read(context: Context, task: Reader, batch: str, market: Market) -> Results | None:
    """Return what was published of each dataset that a task reads; None when one is not known."""
    events = joined(context, task, batch)
    found = {}
    for asset in task.consumes:
        result = events.get(asset.name)
        if result is None:
            entries: Any = context["asset_state_store"][asset].get(REUSABLE_KEY, {}) or {}
            result = entries.get(batch, {}).get("result")
        if not result or not contents(result):
            return None
        found[market.plain(asset.name)] = result
    return found or None


def made_by(job: StageJob, image: str | None, read: Results | None) -> str | None:
    """Return the digest of what a stage's version is made by; None when it cannot be known.

    It is keyed with the installation's Fernet key, because the settings hold secrets; without a key no digest
    is made of them.
    """
    key = conf.get("core", "fernet_key", fallback="") or ""
    if not (job.reuse and image and read and key):
        return None
    sessions = sorted({session for result in read.values() if (session := session_of(result))})
    parts = {
        "stage": job.stage.name,
        "image": image,
        "command": job.command,
        "settings": dict(job.given),
        "inputs": {dataset: contents(result) for dataset, result in read.items()},
        # what reads the outside finds the same within one session, or on one day of a market without any
        "session": sessions or (job.batch[:10] if job.stage.outside else None),
    }
    if model := job.env.get(f"{INPUT_FOLDER}{TRAINING.writes.upper()}{CHECKSUM}"):
        parts["model"] = model
    text = json.dumps(parts, sort_keys=True)
    return hmac.new(key.encode(), text.encode(), sha256).hexdigest()


def used_again(
    context: Context, task: Reader, job: StageJob, key: str, log: Any
) -> tuple[str, dict[str, Any]] | None:
    """Return an earlier result made by the same, as that of this batch, and the batch that made it.

    None when there is none, or when its version is not on the disk as it was sealed: it may have been removed
    with its batch. None, too, for what a person wants to run: a run, a task, or a batch that the dataset has
    already.
    """
    wanted = context.get("params", {}).get(REUSE, True)
    if not wanted or cleared(context, task) or context["ti"].run_id.startswith(TRIAL):
        return None
    dataset = job.stage.market.dataset_name(WRITES[job.stage.name])
    versions = given.published_versions(dataset)
    found = None if job.batch in versions else result_to_reuse(given.reusable(dataset), versions, key)
    if not found:
        return None
    maker, result = found
    if problem := _problem(job, result, log):
        log.warning(NOT_USED_AGAIN, maker, problem)
        return None
    details = {"details": dict(job.stage.again(result["details"]))} if result.get("details") else {}
    return maker, {**result, "batch": job.batch, **details}


def _problem(job: StageJob, result: Mapping[str, Any], log: Any) -> str:
    from rankalpha.lineage.service import ServiceError  # noqa: PLC0415  slow to load, and not for parsing

    try:
        return problem_on_disk(job.stage.market, result, log)
    except ServiceError as error:  # the stage can run without the API
        return str(error)


class Same(NamedTuple):
    """The digest of the contents that a batch is graded from, and the earlier batches with the same contents.

    Those are by the digest of what their grades say, see `rankalpha.pipeline.reuse.CONTENT`.
    """

    made_by: str
    batches: Mapping[str, str]

    @property
    def said(self) -> dict[str, Any]:
        """What the service is told, so that grades and event name the same batch."""
        known = {content: batch for content, batch in self.batches.items() if content}
        return {SAME_INPUTS: known} if known else {}

    def origin(self, result: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return the parts of the event that say what the grades are made by, and which batch had them."""
        content = (result or {}).get(CONTENT) or ""
        return {"made_by": self.made_by, "carried_over_from": self.batches.get(content)}


def same_inputs(context: Context, task: Reader, batch: str, call: Call) -> Same | None:
    """Return which earlier batches were graded from the same; None when the contents are not known."""
    read = results_read(context, task, batch, call.market)
    if not read:
        return None
    parts: list[Any] = [call.name, {dataset: contents(result) for dataset, result in read.items()}]
    parts += [] if (weight := call.market.sentiment_weight) is None else [weight]
    key = sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    entries = given.reusable(call.market.dataset_name(call.output))
    return Same(key, earlier_batches(entries, batch, key))
