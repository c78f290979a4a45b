"""Where prices come from: the bundled sample, a folder of CSV files, or Yahoo Finance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import NamedTuple, Protocol

import polars as pl

ACTIONS = pl.Schema({"symbol": pl.String, "date": pl.Date, "kind": pl.String, "value": pl.Float64})


class Reason(StrEnum):
    """Why there are no new prices of a symbol."""

    UNKNOWN = "unknown"  # the source does not have the symbol
    REFUSED = "refused"  # the source does not serve us
    UNAVAILABLE = "unavailable"  # no answer, even when asked again
    EMPTY = "empty"  # an answer without prices
    FAULTY = "faulty"  # an answer or a file that cannot be used
    SHORTER = "shorter"  # a replacement of fewer days than are known
    UNASKED = "unasked"  # the time for asking was over


class Missing(NamedTuple):
    """A symbol for which nothing came; `message` is one line that names source, symbol and remedy."""

    reason: Reason
    message: str


@dataclass(frozen=True)
class Fetched:
    """What a source has brought; a symbol is in `prices`, or in `missing`, or has nothing new.

    `prices`: symbol:str, date:Date, close:f64, in any order. `actions`: dividends (cash a share) and splits
    (new shares for an old one), of sources that know them.
    """

    prices: pl.DataFrame
    missing: dict[str, Missing] = field(default_factory=dict)
    actions: pl.DataFrame = field(default_factory=ACTIONS.to_frame)


class Source(Protocol):
    """A supplier of daily adjusted closes."""

    name: str  # how messages call it
    symbols: list[str]  # what it covers, sorted
    replayed: bool  # True when its prices are of another time than their dates, as the sample's are
    notice: str  # what a reader of the prices must know about them, such as that; empty: nothing
    left: int | None  # sessions after which it ends; None: it does not
    state: str | None  # what it would answer at present, as a text that differs when that does; None: unknown
    newest: date | None  # newest day that an answer can have; None: not known before it is asked

    def fetch(self, symbols: Sequence[str], since: Mapping[str, date]) -> Fetched:
        """Return the closes of each symbol from `since[symbol]` (inclusive) on, or else from the start."""
        ...

    def quiet_until(self, day: date, prices: pl.DataFrame, missing: Mapping[str, Missing]) -> date:
        """Return the last day whose batch gets nothing new after the batch of `day`; date.min: not known.

        `day` is the newest that the batch may have. It holds as long as `state` stays the same and, with an
        exchange, until its next session. `prices` and `missing` are what that batch has and lacks.
        """
        ...
