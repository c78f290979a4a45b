"""Where prices come from: the bundled sample, a folder of CSV files, or Yahoo Finance."""

import os
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Protocol

import polars as pl

from apps.common.stage import StageError


class SourceUnavailable(StageError):
    """A source that does not answer at present; unlike bad data, trying again later can help."""

    exit_status = os.EX_UNAVAILABLE


class Source(Protocol):
    """A supplier of daily adjusted closes."""

    name: str  # how messages call it
    symbols: list[str]  # what it covers, sorted
    replayed: bool  # True when it holds a past that does not move on with the calendar

    def fetch(self, symbols: Sequence[str], since: Mapping[str, date]) -> pl.DataFrame:
        """Return symbol:str, date:Date, close:f64 from `since[symbol]` (inclusive) or else from the start.

        Rows come in any order and a symbol may have none. Raises BadData or SourceUnavailable.
        """
        ...
