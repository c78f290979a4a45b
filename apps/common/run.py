"""Runs a stage: claims and seals its version, reports its result, and exits with the contract's status."""

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from apps.common.compared import unchanged
from apps.common.files import write_atomic
from apps.common.manifest import claimed, seal
from apps.common.stage import Batch, StageError
from apps.common.versions import Version, given

BEGIN, END = 1400, 600  # characters of an error that are shown; its end says what to do


@dataclass(frozen=True)
class Result:
    """What a stage reports; the dataset's contract is checked against it before the dataset is published."""

    rows: int
    symbols: int
    as_of: date  # last day of the data; for replayed or late data not the day of the batch
    checksum: str  # sha256:<hex> of the main output file
    outputs: list[str]  # paths below the data root, main output first
    details: dict[str, str | int | float | bool | None] = field(default_factory=dict)
    read: Mapping[str, Version] = field(default_factory=dict)  # that its inputs name, by dataset
    earlier: Sequence[Version] = ()  # versions of older batches that it continues or carries from

    def figures(self) -> dict[str, Any]:
        """Return all but the versions, which the manifest names."""
        return {key: value for key, value in asdict(self).items() if key not in ("read", "earlier")}


def run_stage(stage: str, work: Callable[[Batch], Result]) -> None:
    """Run `work` for the batch of the environment, report its result, and exit with the contract's status."""
    try:
        batch = Batch.from_env()
        print(f"{stage}: batch {batch.key}", flush=True)
        text = json.dumps(_report(stage, batch, work), default=str, indent=2)
        if batch.result_path:
            write_atomic(batch.result_path, lambda path: path.write_text(text + "\n"))
        print(text, flush=True)
    except StageError as error:
        print(f"{stage}: {one_line(error)}", file=sys.stderr, flush=True)
        sys.exit(error.exit_status)
    except OSError as error:  # a full or read-only disk may be repaired
        print(f"{stage}: {one_line(error)}", file=sys.stderr, flush=True)
        sys.exit(os.EX_IOERR)


def _report(stage: str, batch: Batch, work: Callable[[Batch], Result]) -> dict[str, Any]:
    report: dict[str, Any] = {"stage": stage, "batch": batch.key}
    if not batch.output:
        return report | work(batch).figures()
    inputs = given(batch)
    with claimed(batch.output):
        with unchanged():
            result = work(batch)
        read = {
            name: version.reference(batch.data_dir) for name, version in {**inputs, **result.read}.items()
        }
        earlier = [version.reference(batch.data_dir) for version in result.earlier if version.sha256]
        version = seal(batch.output, batch.shown(batch.output), stage, read, earlier)
    return report | result.figures() | {"version": version.model_dump()}


def one_line(error: Exception) -> str:
    """Return an error's message as one line of bounded length, whatever text it holds."""
    text = " ".join(str(error).split())
    missing = len(text) - BEGIN - END
    return text if missing <= 0 else f"{text[:BEGIN]} [… {missing} characters are left out …] {text[-END:]}"
