"""Skip-within-days: what earlier batches have analysed, so that no analysis is paid for twice.

A symbol that an earlier batch analysed less than `within_days` days before this batch's day is not analysed
again: that entry is carried. Days are the batches' days, never the clock, so that a repeated batch decides
the same:

- a symbol that it analysed, it analyses again, from the headlines that it has seen, and
  without paying again (`apps.sentiment.kept`);
- a symbol that its first run carried, it carries again, even if a later batch has analysed it since.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from apps.common.stage import Batch
from apps.sentiment.consensus import Candidate
from apps.sentiment.reports import LAST_RUNS, REPORT, Entry, LastRun, read_json, write_json


def report_path(batch: Batch) -> Path:
    """Return where a batch's sentiment.json is."""
    return batch.folder("company_reports") / "sentiment.json"


@dataclass(frozen=True)
class History:
    """What was analysed when, seen from one batch."""

    batch: Batch
    within_days: int  # 0: carry nothing
    last_runs: dict[str, LastRun]
    reports: dict[str, dict[str, Entry]] = field(default_factory=dict)  # read so far: batch key, symbol

    @classmethod
    def read(cls, batch: Batch, within_days: int) -> "History":
        """Read last_run.json; without one nothing was analysed yet. Raises BadData when it is corrupt."""
        path = schedule_path(batch)
        remedy = "repair or delete it; symbols are then analysed again"
        return cls(batch, within_days, read_json(path, LAST_RUNS, remedy) if path.exists() else {})

    def carried(self, candidate: Candidate) -> Entry | None:
        """Return the entry to carry into this batch, with this batch's counts; None: analyse the symbol."""
        if not self.within_days:
            return None
        entry = self._own(candidate.symbol) or self._earlier(candidate.symbol)
        if entry is None or not 0 <= (self.batch.day - entry.analysed).days < self.within_days:
            return None
        return entry.model_copy(
            update={"reused": True, "appearances": candidate.appearances, "styles": candidate.styles}
        )

    def _own(self, symbol: str) -> Entry | None:
        entry = self._entries(self.batch.key).get(symbol)
        return entry if entry and entry.reused else None

    def _earlier(self, symbol: str) -> Entry | None:
        last = self.last_runs.get(symbol)
        if last is None or last.batch >= self.batch.key:  # keys sort by time
            return None
        return self._entries(last.batch).get(symbol)

    def _entries(self, key: str) -> dict[str, Entry]:
        """Return a batch's entries by symbol; empty when it was not analysed or was removed."""
        if key not in self.reports:
            path = report_path(replace(self.batch, key=key))
            remedy = "delete it and repeat the sentiment stage for that batch"
            read = read_json(path, REPORT, remedy).symbols if path.exists() else []
            self.reports[key] = {each.symbol: each for each in read}
        return self.reports[key]

    def in_use(self) -> set[str]:
        """Return the batches whose reports a later batch may still carry from."""
        oldest = self.batch.day - timedelta(days=self.within_days)
        return {last.batch for last in self.last_runs.values() if last.analysed > oldest}

    def record(self, report: Sequence[Entry]) -> None:
        """Write into last_run.json what this batch analysed; an old batch does not undo newer entries.

        A symbol without a rating is not recorded: there is nothing to carry, and news may come any day.
        """
        analysed = {
            each.symbol: LastRun(analysed=each.analysed, batch=self.batch.key)
            for each in report
            if not each.reused and each.sentiment is not None
        }
        newer = {symbol: last for symbol, last in self.last_runs.items() if last.batch > self.batch.key}
        merged = self.last_runs | analysed | newer
        write_json(schedule_path(self.batch), LAST_RUNS, dict(sorted(merged.items())))


def schedule_path(batch: Batch) -> Path:
    """Return where last_run.json is: one file for all batches."""
    return batch.data_dir / "analysis_schedule" / "last_run.json"
