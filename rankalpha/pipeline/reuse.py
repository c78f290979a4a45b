"""Using versions again: what the newest batches of a dataset hold, and what they were made by.

A version is made by the contents of its inputs, an image, a command and settings, which
`rankalpha.operators.reuse` turns into one digest. When all of it is the same for a later batch, the version
of the earlier one is published again, and no container runs.
"""

import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from rankalpha.pipeline.batch import is_key
from rankalpha.pipeline.versions import VERSION

REUSABLE_KEY = "reusable"  # in a dataset's state store: what is known of its newest batches, by key
MADE_BY = "made_by"  # of an event's extra: the digest of what its version was made by
REUSED_FROM = "reused_from"  # there too: the batch whose run has made the version
CARRIED_FROM = "carried_over_from"  # there too: the batch that had these grades first
CONTENT = "content"  # of a result of grading: the digest of what the grades say, whichever batch they are of
MAX_REUSABLE = 10  # batches; older versions may have been removed from the disk
MAX_RESULT = 8_000  # characters of a result that is kept
# what is added to a result when it is published
ADDED = ("batch", "checks", "container", "forced", "republished", MADE_BY, REUSED_FROM, CARRIED_FROM)


def listed_reusable(entries: Mapping[str, Any], batch: str, extra: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a state store keeps after an event with this `extra` was published for `batch`."""
    updated = {key: value for key, value in entries.items() if key != batch}
    result = {key: value for key, value in extra.items() if key not in ADDED}
    if is_key(batch) and len(json.dumps(result)) <= MAX_RESULT:
        more = {key: extra[key] for key in (MADE_BY, REUSED_FROM, CARRIED_FROM) if extra.get(key)}
        updated[batch] = {**more, "result": result}
    return dict(sorted(updated.items(), reverse=True)[:MAX_REUSABLE])


def result_to_reuse(
    entries: Mapping[str, Any], versions: Mapping[str, Any], made_by: str
) -> tuple[str, dict[str, Any]] | None:
    """Return the newest result that was made by the same, and the batch whose run made it; else None.

    `versions` are those that are published now: a version that its batch no longer has is not used again.
    """
    for batch in sorted(entries, reverse=True):
        entry = entries[batch]
        version = entry["result"].get(VERSION)
        if entry.get(MADE_BY) != made_by or not isinstance(version, Mapping):
            continue
        maker = entry.get(REUSED_FROM) or batch
        if version.get("path") == (versions.get(maker) or version).get("path"):
            return maker, dict(entry["result"])
    return None


def earlier_batches(entries: Mapping[str, Any], batch: str, made_by: str) -> dict[str, str]:
    """Return the batches before `batch` that were made by the same, by their CONTENT; of each the first.

    The CONTENT of a service that reports none is empty.
    """
    found: dict[str, str] = {}
    for key in sorted((key for key in entries if key < batch), reverse=True):
        entry = entries[key]
        if entry.get(MADE_BY) == made_by:
            found.setdefault(entry["result"].get(CONTENT) or "", str(entry.get(CARRIED_FROM) or key))
    return found


def contents(result: Mapping[str, Any]) -> dict[str, str] | None:
    """Return the SHA-256 of each file that a result names as its output, by name; None without a version.

    Other files of the version, such as a stage's notes for its next batch, do not count. Of grades it is what
    they say, because their file names the batch.
    """
    version = result.get(VERSION)
    files = version.get("files") if isinstance(version, Mapping) else None
    if not isinstance(files, Mapping):
        return None
    if says := result.get(CONTENT):
        return {CONTENT: str(says)}
    named = {PurePosixPath(str(path)).name for path in result.get("outputs") or ()} & files.keys()
    return {str(name): str(files[name]["sha256"]) for name in sorted(named or files)}


def session_of(result: Mapping[str, Any]) -> str | None:
    """Return the session of an exchange that a result's prices are due for; None without a calendar."""
    session = (result.get("details") or {}).get("session")
    return str(session) if session else None
