"""The champion among a market's models: the one that a person has approved last.

Its history is kept, so that a batch has the model that was champion when the batch was due: whoever approves
another one changes nothing in a batch under way, and nothing when an older batch runs again.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rankalpha.pipeline.batch import BatchError, parse_key
from rankalpha.pipeline.versions import Version

CHAMPION = "champion"  # key in the state store of the models, and value of a setting that names a model
MAX_CHAMPIONS = 100
Entry = Mapping[str, Any]  # path and sha256 of the version, its `batch`, and `at` and `by` of the approval


def with_champion(
    entries: Sequence[Entry], version: Version, batch: str, at: datetime, by: str
) -> list[Entry]:
    """Return the history after a model was approved, oldest first."""
    entry = {**version.reference, "batch": batch, "at": at.astimezone(UTC).isoformat(), "by": by}
    return [*entries, entry][-MAX_CHAMPIONS:]


def champion_at(entries: Sequence[Entry], batch: str) -> Version | None:
    """Return the model that was champion when a batch was due; None before the first one."""
    due = parse_key(batch)
    before = [entry for entry in entries if datetime.fromisoformat(entry["at"]) <= due]
    newest = max(before, key=lambda entry: datetime.fromisoformat(entry["at"]), default=None)
    return Version.of(newest, "the champion of the models") if newest else None


def problem_of_name(name: str) -> str:
    """Say why a setting names no model; an empty text when it may."""
    try:
        if name != CHAMPION:
            parse_key(name)
    except BatchError:
        return "names no model; expected champion, or the batch that one was trained on"
    return ""
