"""Skip-within-days: what earlier batches have analysed, so that no analysis is paid for twice.

A symbol that an older batch analysed less than `within_days` days before this batch's day is not analysed
again: that entry is carried. Only reports that are published count, and only those of older batches. Days are
the batches' days, never the clock, so that a repeated batch decides the same. What it analyses, it analyses
again from the headlines that it has seen, and without paying again (`apps.sentiment.kept`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from apps.common.batches import of_batches
from apps.common.stage import BadData, Batch
from apps.common.versions import Version, earlier
from apps.sentiment.consensus import Candidate
from apps.sentiment.reports import REPORT, Entry, read_json

VOLUME = "company_reports"
FILE = "sentiment.json"
REMEDY = "run the sentiment stage again for that batch"


@dataclass(frozen=True)
class History:
    """What was analysed when, seen from one batch."""

    batch: Batch
    within_days: int  # 0: carry nothing
    analysed: dict[str, tuple[Entry, Version]]  # the newest rating of each symbol, and the report it is in

    @classmethod
    def read(cls, batch: Batch, within_days: int) -> "History":
        """Read the reports that may be carried from. One that is damaged is skipped, with a warning."""
        history = cls(batch, within_days, {})
        for version in earlier(batch, "sentiment", VOLUME) if within_days else ():
            if history.recent(version.batch):
                history._add(version)
        return history

    def _add(self, version: Version) -> None:
        path = version.folder / FILE
        if not version.sha256 and not path.is_file():
            return  # only headlines of a batch that has failed
        try:
            entries = read_json(version.file(FILE), REPORT, REMEDY).symbols
        except BadData as error:
            print(f"sentiment: warning: nothing is carried from {path}: {error}", flush=True)
            return
        for entry in entries:
            known = self.analysed.get(entry.symbol)
            if entry.sentiment is not None and (known is None or known[0].analysed < entry.analysed):
                self.analysed[entry.symbol] = entry, version

    def carried(self, candidate: Candidate) -> Entry | None:
        """Return the entry to carry into this batch, with this batch's counts; None: analyse the symbol."""
        entry, _ = self.analysed.get(candidate.symbol, (None, None))
        if entry is None or not 0 <= (self.batch.day - entry.analysed).days < self.within_days:
            return None
        return entry.model_copy(
            update={"reused": True, "appearances": candidate.appearances, "styles": candidate.styles}
        )

    def sources(self, symbols: Iterable[str]) -> tuple[Version, ...]:
        """Return the versions that the entries of these symbols are carried from."""
        return tuple(dict.fromkeys(self.analysed[symbol][1] for symbol in symbols))

    def recent(self, key: str) -> bool:
        """Return whether this batch or a later one may carry from the batch of `key`."""
        return date.fromisoformat(key[:10]) > self.batch.day - timedelta(days=self.within_days)

    def in_use(self) -> set[str]:
        """Return the batches whose reports are kept, because something may be carried from them."""
        keys = {path.stem for path in of_batches(self.batch.data_dir / VOLUME)}
        return {key for key in keys if self.recent(key)}
