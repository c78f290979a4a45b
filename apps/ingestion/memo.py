"""A batch whose source has nothing new since the batch before takes over the files of that batch.

Beside its files a batch keeps memo.json: what its source was like, its result, and until when nothing
new can come. When the next batch finds its source the same, and the files of the earlier batch as they were
written, it takes them over.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from apps.common.files import checksum, link, write_atomic
from apps.common.run import Result
from apps.common.stage import BadData, Batch
from apps.common.versions import Version
from apps.ingestion import changes, snapshots
from apps.ingestion.settings import Settings
from apps.ingestion.sources import Source

FILE = "memo.json"
NOTHING_NEW = {"new_rows": 0, "revised": 0, "rescaled": 0, "jumps": 0, "reused": True}


def state_of(
    source: Source, settings: Settings, session: date | None, universe: Path | None = None
) -> str | None:
    """Return a digest of all that the outcome depends on; None when the source does not know what is new."""
    if source.state is None:
        return None
    code = [path.read_bytes() for path in sorted(Path(__file__).parent.rglob("*.py"))]
    parts = [source.name, source.symbols, source.state, settings.screener_top, settings.replace, session]
    parts.append(universe and checksum(universe))
    settings_text = json.dumps(parts, default=str)
    return hashlib.sha256(b"".join([settings_text.encode(), *code])).hexdigest()


def taken_over(batch: Batch, state: str | None, before: Sequence[Version]) -> Result | None:
    """Make the batch's files those of the batch before, and return its result; None if something differs."""
    if not before or not state:
        return None
    earlier = before[0]
    memo = _read(earlier)
    if memo.get("state") != state or memo["quiet_until"] < batch.day.isoformat():
        return None
    written: dict[str, str] = memo["files"]
    if not all(_is_as_written(earlier, name, expected) for name, expected in written.items()):
        return None
    folder = batch.target(snapshots.VOLUME)
    for name in (*written, FILE):
        link(earlier.folder / name, folder / name)
    if changes.FILE not in written:
        (folder / changes.FILE).unlink(missing_ok=True)  # of an earlier attempt
    figures = memo["result"]
    return Result(
        rows=figures["rows"],
        symbols=figures["symbols"],
        as_of=date.fromisoformat(figures["as_of"]),
        checksum=figures["checksum"],
        outputs=[batch.shown(folder / name) for name in written],
        details=figures["details"] | NOTHING_NEW,
        earlier=(earlier,),
    )


def keep(batch: Batch, state: str | None, quiet_until: date, result: Result) -> None:
    """Write memo.json, unless the next batch could see more of the same source than this one."""
    folder = batch.target(snapshots.VOLUME)
    if state is None or quiet_until < batch.day:
        (folder / FILE).unlink(missing_ok=True)
        return
    main, *others = result.outputs
    files = {Path(main).name: result.checksum}
    files |= {Path(path).name: checksum(batch.data_dir / path) for path in others}
    text = json.dumps(
        {"state": state, "quiet_until": quiet_until, "files": files, "result": result.figures()},
        default=str,
        indent=1,
    )
    write_atomic(folder / FILE, lambda temporary: temporary.write_text(text + "\n"))


def _read(earlier: Version) -> dict[str, Any]:
    try:
        memo = json.loads(earlier.file(FILE).read_text())
    except (OSError, ValueError, BadData):
        return {}
    return memo if isinstance(memo, dict) else {}


def _is_as_written(earlier: Version, name: str, expected: str) -> bool:
    try:
        path = earlier.file(name)  # of a version, it is compared
    except BadData:
        return False
    if earlier.sha256:
        return f"sha256:{earlier.manifest().files[name].sha256}" == expected
    return path.is_file() and checksum(path) == expected
