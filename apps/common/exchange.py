"""The sessions of an exchange: which day's prices there are at a moment, and which days are missing.

A market names its exchange by a code of the library exchange_calendars (`XNYS`, or an alias such as `NYSE`),
which knows holidays, half days and changed closing times. It loads in a second, so only a stage of a
market with a calendar imports it.
"""

from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any

from apps.common.stage import BadConfig

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped]

FIRST = date(1990, 1, 1)  # some exchanges are known only from a later year on
YEARS_AHEAD = 11  # of the present one, where the exchange is known so far
HALF = 0.5


class UnknownDay(BadConfig):
    """A day of which the library does not know whether it is a session."""


class Exchange:
    """An exchange; all days are those of its sessions, all moments have a time zone."""

    def __init__(self, code: str, calendar: Any, known_until: date) -> None:
        """Take a calendar of the library; `exchange` makes one."""
        self.code = code
        self.known_until = known_until
        self._calendar = calendar
        self._opens: pd.Series = calendar.opens
        self._closes: pd.Series = calendar.closes

    def last_closed(self, moment: datetime) -> date:
        """Return the newest session that has closed, a half day at its own hour. Raises UnknownDay."""
        position = self._closed(moment) - 1
        if position < 0:
            raise UnknownDay(
                f"RANKALPHA_CALENDAR={self.code}: {moment:%Y-%m-%d} is before its first known session, "
                f"{self._day(0)}; choose a later batch, or a market without a calendar"
            )
        return self._day(position)

    def next_close(self, moment: datetime) -> datetime:
        """Return the first close after a moment, in UTC. Raises UnknownDay."""
        closes = self.next_closes(moment, 1)
        if not closes:
            self._check(date.max)
        return closes[0]

    def next_closes(self, moment: datetime, most: int) -> list[datetime]:
        """Return the first closes after a moment, in UTC; fewer where they end. Raises UnknownDay."""
        position = self._closed(moment)
        coming = self._closes.iloc[position : position + most]
        return [close.to_pydatetime().astimezone(UTC) for close in coming]

    def is_open(self, moment: datetime) -> bool:
        """Return whether a session has begun and not closed yet; a break at noon belongs to it."""
        begun = int(self._opens.searchsorted(_stamp(moment), side="right"))
        return begun > self._closed(moment)

    @property
    def is_continuous(self) -> bool:
        """Whether most sessions begin when the one before closes, as around the clock."""
        return bool((self._opens.to_numpy()[1:] == self._closes.to_numpy()[:-1]).mean() > HALF)

    def sessions(self, first: date, last: date) -> list[date]:
        """Return the sessions from one day to another, both included. Raises UnknownDay."""
        self._check(last)
        days: list[date] = self._closes.loc[str(first) : str(last)].index.date.tolist()
        return days

    def missing(self, after: date, until: date) -> int:
        """Return how many sessions there are after the one day, up to and including the other."""
        return len(self.sessions(after + timedelta(days=1), until)) if after < until else 0

    def half_days(self, first: date, last: date) -> dict[date, datetime]:
        """Return the sessions that close earlier than usual, with their closes in UTC. Raises UnknownDay."""
        early = {stamp.date() for stamp in self._calendar.early_closes}
        half = [day for day in self.sessions(first, last) if day in early]
        return {day: self._closes.loc[str(day)].to_pydatetime().astimezone(UTC) for day in half}

    def holidays(self, first: date, last: date) -> list[date]:
        """Return the days of the week that usually have a session and have none. Raises UnknownDay."""
        traded = set(self.sessions(first, last))
        span = (first + timedelta(days=days) for days in range((last - first).days + 1))
        weekmask: str = self._calendar.weekmask
        return [day for day in span if day not in traded and weekmask[day.weekday()] == "1"]

    def _closed(self, moment: datetime) -> int:
        """Return how many of the known sessions have closed."""
        self._check(moment.astimezone(UTC).date() - timedelta(days=1))
        return int(self._closes.searchsorted(_stamp(moment), side="right"))

    def _day(self, position: int) -> date:
        day: date = self._closes.index[position].date()
        return day

    def _check(self, day: date) -> None:
        """Raise UnknownDay for a day that the library does not know yet."""
        if day > self.known_until:
            raise UnknownDay(
                f"RANKALPHA_CALENDAR={self.code}: its sessions are known until {self.known_until}; install a "
                "newer exchange_calendars, or take the calendar out of markets.toml"
            )


def exchange(code: str) -> Exchange | None:
    """Return the exchange of a code; None for an empty one. Raises BadConfig that names the nearest codes."""
    return _load(code) if code else None


def nearest(code: str, codes: list[str]) -> list[str]:
    """Return the codes that a person may have meant, in any case of letters."""
    upper = {each.upper(): each for each in codes}
    return [upper[each] for each in get_close_matches(code.upper(), upper, n=3, cutoff=0.5)]


@cache
def _load(code: str) -> Exchange:
    from exchange_calendars import get_calendar, get_calendar_names  # noqa: PLC0415  see above

    names = get_calendar_names()
    if code not in names:
        meant = " or ".join(nearest(code, names))
        raise BadConfig(
            f"RANKALPHA_CALENDAR={code!r:.60} is not an exchange; expected "
            f"{f'{meant}, or another' if meant else 'a'} code of exchange_calendars such as XNYS"
        )
    end = date(datetime.now(UTC).year + YEARS_AHEAD, 12, 31)
    try:
        return Exchange(code, get_calendar(code, start=FIRST, end=end), end)
    except ValueError:  # it is known for fewer years; a month has the same bounds, and is made sooner
        month = get_calendar(code, start="2024-01-01", end="2024-01-31")
    first, last = month.bound_min(), month.bound_max()
    start = FIRST if first is None else max(FIRST, first.date())
    end = end if last is None else min(end, last.date())
    return Exchange(code, get_calendar(code, start=start, end=end), end)


def _stamp(moment: datetime) -> "pd.Timestamp":
    import pandas as pd  # noqa: PLC0415

    return pd.Timestamp(moment).tz_convert("UTC")
