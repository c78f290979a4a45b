"""The container contract of a RankAlpha stage, seen from inside the container.

The orchestrator gives a stage its batch in the environment:

    RANKALPHA_BATCH     key of the batch, UTC to the second: 2026-11-22T06:00:00
    RANKALPHA_DATE      day of the batch: 2026-11-22
    RANKALPHA_RESULT    where to write the result, one JSON object; unset: the result is only printed
    RANKALPHA_DATA_DIR  root of the data volumes, /data in the containers

The stage answers with its exit status (`sysexits.h`): 0 done, 65 bad data, 78 bad configuration (neither can
pass by itself, so neither is retried); after anything else there may be another attempt.
"""

import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from apps.common.files import write_atomic

BATCH_FORMAT = "%Y-%m-%dT%H:%M:%S"
BEGIN, END = 1400, 600  # characters of an error that are shown; its end says what to do


class StageError(Exception):
    """A stage cannot continue; by `exit_status` the orchestrator decides whether another attempt can help."""

    exit_status = os.EX_SOFTWARE


class BadData(StageError):
    """Input that is missing, corrupt or empty. The message names the file and what to do."""

    exit_status = os.EX_DATAERR


class BadConfig(StageError):
    """A setting that cannot be used. The message names the key, its value and what is allowed."""

    exit_status = os.EX_CONFIG


@dataclass(frozen=True)
class Result:
    """What a stage reports; the dataset's contract is checked against it before the dataset is published."""

    rows: int
    symbols: int
    as_of: date  # last day of the data; for replayed or late data not the day of the batch
    checksum: str  # sha256:<hex> of the main output file
    outputs: list[str]  # paths below the data root, main output first
    details: dict[str, str | int | float | bool | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Batch:
    """The batch that a stage works on, and where its data are."""

    key: str
    data_dir: Path
    result_path: Path | None = None

    def __post_init__(self) -> None:
        with suppress(ValueError):
            if datetime.strptime(self.key, BATCH_FORMAT).strftime(BATCH_FORMAT) == self.key:
                return
        expected = "expected a UTC time such as 2026-11-22T06:00:00"
        raise BadConfig(f"RANKALPHA_BATCH={self.key!r} is not a batch key; {expected}")

    @classmethod
    def from_env(cls) -> "Batch":
        """Read the variables; without a batch, as when run by hand, make one from the present time."""
        result = os.environ.get("RANKALPHA_RESULT")
        return cls(
            key=os.environ.get("RANKALPHA_BATCH") or datetime.now(UTC).strftime(BATCH_FORMAT),
            data_dir=Path(os.environ.get("RANKALPHA_DATA_DIR") or "/data"),
            result_path=Path(result) if result else None,
        )

    @property
    def day(self) -> date:
        """The batch's day in UTC."""
        return datetime.strptime(self.key, BATCH_FORMAT).date()

    def folder(self, volume: str) -> Path:
        """Return the batch's own folder in a volume: <data root>/<volume>/<batch key>."""
        return self.data_dir / volume / self.key


def one_line(error: Exception) -> str:
    """Return an error's message as one line of bounded length, whatever text it holds."""
    text = " ".join(str(error).split())
    missing = len(text) - BEGIN - END
    return text if missing <= 0 else f"{text[:BEGIN]} [… {missing} characters are left out …] {text[-END:]}"


def run_stage(stage: str, work: Callable[[Batch], Result]) -> None:
    """Run `work` for the batch of the environment, report its result, and exit with the contract's status."""
    try:
        batch = Batch.from_env()
        print(f"{stage}: batch {batch.key}", flush=True)
        report = {"stage": stage, "batch": batch.key, **asdict(work(batch))}
        text = json.dumps(report, default=str, indent=2)
        if batch.result_path:
            write_atomic(batch.result_path, lambda path: path.write_text(text + "\n"))
        print(text, flush=True)
    except StageError as error:
        print(f"{stage}: {one_line(error)}", file=sys.stderr, flush=True)
        sys.exit(error.exit_status)
    except OSError as error:  # a full or read-only disk may be repaired
        print(f"{stage}: {one_line(error)}", file=sys.stderr, flush=True)
        sys.exit(os.EX_IOERR)
