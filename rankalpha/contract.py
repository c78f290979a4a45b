"""The contract of a dataset: what must be true of a stage's result before it is published."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Contract:
    """Who answers for a dataset, how fresh it is to be, and what a valid result is."""

    owner: str
    freshness: timedelta  # age of the newest event after which the dataset counts as stale
    min_rows: int = 1
    min_symbols: int = 1

    def describe(self) -> dict[str, Any]:
        """Return what the Datasets view shows of the contract."""
        hours = self.freshness / timedelta(hours=1)
        return {"owner": self.owner, "fresh for hours": hours, "partition": "batch"}

    def violations(self, result: dict[str, Any]) -> list[str]:
        """Return what is wrong with `result` (see `rankalpha.result`), one sentence each."""
        limits = {"rows": self.min_rows, "symbols": self.min_symbols}
        return [
            f"{key} is {result[key]}, at least {least} expected"
            for key, least in limits.items()
            if result[key] < least
        ]
