"""Sessions as numbers: a return over 21 sessions ends 21 sessions later, whatever days lie between."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from apps.common.exchange import exchange

SESSION = pl.Int32


@dataclass(frozen=True)
class Sessions:
    """The sessions from the first day of the prices to their last, numbered from 0."""

    days: Sequence[date]

    @classmethod
    def of(cls, days: pl.Series, calendar: str) -> "Sessions":
        """Return the sessions of an exchange; without one, each day on which any symbol has a price.

        Raises BadConfig for an unknown exchange, and for days that it does not know.
        """
        market = exchange(calendar)
        if market is None:
            return cls(days.unique().sort().to_list())
        return cls(market.sessions(days.sort()[0], days.sort()[-1]))

    @property
    def last(self) -> int:
        """The number of the newest session."""
        return len(self.days) - 1

    def numbered(self, frame: pl.DataFrame, day: str = "date") -> pl.DataFrame:
        """Return the rows whose day is a session, with its number as `s`."""
        numbers = pl.DataFrame(
            {day: self.days, "s": range(len(self.days))}, schema={day: pl.Date, "s": SESSION}
        )
        return frame.join(numbers, on=day, how="inner", maintain_order="left")
