"""A batch whose source has nothing new since the batch before takes over the files of that batch.

Beside its files a batch keeps memo.json: what its source was like, its result, and until when nothing
new can come. When the next batch finds its source the same, and the files of the earlier batch as they were
written, it takes them over.
"""

import hashlib
import json
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from apps.common.files import checksum, link, write_atomic
from apps.common.stage import Batch, Result
from apps.ingestion import changes, snapshots
from apps.ingestion.settings import Settings
from apps.ingestion.sources import Source

FILE = "memo.json"
NOTHING_NEW = {"new_rows": 0, "revised": 0, "rescaled": 0, "jumps": 0, "reused": True}


def state_of(source: Source, settings: Settings) -> str | None:
    """Return a digest of all that the outcome depends on; None when the source does not know what is new."""
    if source.state is None:
        return None
    code = [path.read_bytes() for path in sorted(Path(__file__).parent.rglob("*.py"))]
    settings_text = json.dumps(
        [source.name, source.symbols, source.state, settings.screener_top, settings.replace]
    )
    return hashlib.sha256(b"".join([settings_text.encode(), *code])).hexdigest()


def taken_over(batch: Batch, state: str | None) -> Result | None:
    """Make the batch's files those of the batch before, and return its result; None if something differs."""
    earlier = snapshots.folder_before(batch)
    if not earlier or not state:
        return None
    memo = _read(earlier / FILE)
    if memo.get("state") != state or memo["quiet_until"] < batch.day.isoformat():
        return None
    written: dict[str, str] = memo["files"]
    if any(
        not (earlier / name).is_file() or checksum(earlier / name) != was for name, was in written.items()
    ):
        return None
    folder = batch.folder(snapshots.VOLUME)
    for name in (*written, FILE):
        write_atomic(folder / name, lambda temporary, name=name: link(earlier / name, temporary))  # type: ignore[misc]
    if changes.FILE not in written:
        (folder / changes.FILE).unlink(missing_ok=True)  # of an earlier attempt
    figures = memo["result"]
    return Result(
        rows=figures["rows"],
        symbols=figures["symbols"],
        as_of=date.fromisoformat(figures["as_of"]),
        checksum=figures["checksum"],
        outputs=[str((folder / name).relative_to(batch.data_dir)) for name in written],
        details=figures["details"] | NOTHING_NEW,
    )


def keep(batch: Batch, state: str | None, quiet_until: date, result: Result) -> None:
    """Write memo.json, unless the next batch could see more of the same source than this one."""
    folder = batch.folder(snapshots.VOLUME)
    if state is None or quiet_until < batch.day:
        (folder / FILE).unlink(missing_ok=True)
        return
    files = {Path(path).name: checksum(batch.data_dir / path) for path in result.outputs}
    text = json.dumps(
        {"state": state, "quiet_until": quiet_until, "files": files, "result": asdict(result)},
        default=str,
        indent=1,
    )
    write_atomic(folder / FILE, lambda temporary: temporary.write_text(text + "\n"))


def _read(path: Path) -> dict[str, Any]:
    try:
        memo = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return memo if isinstance(memo, dict) else {}
