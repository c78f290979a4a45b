"""The container contract of a RankAlpha stage, seen from inside the container.

The orchestrator gives a stage its batch in the environment:

    RANKALPHA_BATCH     key of the batch, UTC to the second: 2026-11-22T06:00:00
    RANKALPHA_DATE      day of the batch: 2026-11-22
    RANKALPHA_CALENDAR  code of the market's exchange, see `apps.common.exchange`; unset: it has none
    RANKALPHA_RESULT    where to write the result, one JSON object; unset: the result is only printed
    RANKALPHA_DATA_DIR  root of the data volumes, /data in the containers
    RANKALPHA_OUTPUT    folder to make and to fill, see `apps.common.versions`; unset: the batch's folder

The stage answers with its exit status (`sysexits.h`): 0 done, 65 bad data, 78 bad configuration (neither can
pass by itself, so neither is retried); after anything else there may be another attempt.
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

BATCH_FORMAT = "%Y-%m-%dT%H:%M:%S"


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
class Batch:
    """The batch that a stage works on, and where its data are."""

    key: str
    data_dir: Path
    result_path: Path | None = None
    output: Path | None = None  # the folder of this container alone; None: that of the batch
    calendar: str = ""  # code of the exchange whose sessions count; empty: days count

    def __post_init__(self) -> None:
        if self.output and not self.output.is_relative_to(self.data_dir):
            raise BadConfig(f"RANKALPHA_OUTPUT={str(self.output)!r}: expected a folder below {self.data_dir}")
        with suppress(ValueError):
            if datetime.strptime(self.key, BATCH_FORMAT).strftime(BATCH_FORMAT) == self.key:
                return
        expected = "expected a UTC time such as 2026-11-22T06:00:00"
        raise BadConfig(f"RANKALPHA_BATCH={self.key!r} is not a batch key; {expected}")

    @classmethod
    def from_env(cls) -> "Batch":
        """Read the variables; without a batch, as when run by hand, make one from the present time."""
        result, output = os.environ.get("RANKALPHA_RESULT"), os.environ.get("RANKALPHA_OUTPUT")
        return cls(
            key=os.environ.get("RANKALPHA_BATCH") or datetime.now(UTC).strftime(BATCH_FORMAT),
            data_dir=Path(os.environ.get("RANKALPHA_DATA_DIR") or "/data"),
            result_path=Path(result) if result else None,
            output=Path(output) if output else None,
            calendar=os.environ.get("RANKALPHA_CALENDAR") or "",
        )

    @property
    def day(self) -> date:
        """The batch's day in UTC."""
        return self.moment.date()

    @property
    def moment(self) -> datetime:
        """When the batch was due, in UTC: it may know nothing that is later."""
        return datetime.strptime(self.key, BATCH_FORMAT).replace(tzinfo=UTC)

    def folder(self, volume: str) -> Path:
        """Return the batch's own folder in a volume: <data root>/<volume>/<batch key>."""
        return self.data_dir / volume / self.key

    def target(self, volume: str) -> Path:
        """Return the folder to write to: the container's own one, else the batch's folder in a volume."""
        return self.output or self.folder(volume)

    def shown(self, path: Path) -> str:
        """Return a path below the data root as results name it."""
        return str(path.relative_to(self.data_dir))
