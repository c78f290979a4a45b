"""The bundled history of 20 large US stocks, moved in time session by session.

The newest closed session of a batch has the prices of a session some ten years earlier, the one before it
those of the one before, and so on: each session brings one new day, a Sunday none. The same day always has
the same prices, whatever the batch. See apps/ingestion/sample/README.md.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path

import polars as pl

from apps.common.exchange import Exchange
from apps.common.stage import BadConfig
from apps.ingestion.sources import Fetched, Missing

SAMPLE = Path(__file__).parent.parent / "sample" / "sp500_dataset.csv.gz"
# The session SHOWN has the prices of the day REAL; both follow Thanksgiving. So the sample lasts
# to the end of 2032, and has enough rows for the contract of a stack that knows it under its own dates.
SHOWN, REAL = date(2026, 11, 27), date(2016, 11, 25)
FIRST = date(1990, 1, 1)  # before the first session of the sample on any exchange
FRIDAY = 5


class SampleSource:
    """The sample, up to the newest session that had closed at a moment."""

    name = "sample"
    replayed = True
    state: str | None = None
    newest: date | None = None

    def __init__(self, symbols: Sequence[str], moment: datetime, exchange: Exchange | None) -> None:
        """Take the given symbols, or all; without an exchange each weekday is a session.

        Raises BadConfig for a symbol that it does not hold, and where it has ended or not yet begun.
        """
        wide = pl.read_csv(SAMPLE, schema_overrides={"Date": pl.Date})
        held = wide.columns[1:]
        unknown = sorted(set(symbols) - set(held))
        if unknown:
            raise BadConfig(
                f"INGESTION_SYMBOLS: no {', '.join(unknown)} in the sample, only {', '.join(held)}"
            )
        self.symbols = sorted(symbols or held)
        days = wide["Date"].to_list()
        begin, sessions = _moved(days, moment, exchange)
        end = begin + len(sessions)
        self.left: int | None = len(days) - end
        self.notice = f"sample: prices of {days[end - 1]} under the date of {sessions[-1]}"
        self._prices = (
            wide.slice(begin, len(sessions))
            .with_columns(pl.Series("date", sessions, dtype=pl.Date))
            .unpivot(held, index="date", variable_name="symbol", value_name="close")
            .select("symbol", "date", "close")
        )

    def quiet_until(self, day: date, prices: pl.DataFrame, missing: Mapping[str, Missing]) -> date:  # noqa: ARG002
        """See `Source.quiet_until`."""
        return date.min

    def fetch(self, symbols: Sequence[str], since: Mapping[str, date]) -> Fetched:
        """See `Source.fetch`."""
        start = pl.col("symbol").replace_strict(since, default=date.min, return_dtype=pl.Date)
        return Fetched(self._prices.filter(pl.col("symbol").is_in(symbols), pl.col("date") >= start))


def _moved(days: Sequence[date], moment: datetime, exchange: Exchange | None) -> tuple[int, Sequence[date]]:
    """Return the first of the sample's days that has a session, and the sessions of the days from it on.

    Raises BadConfig where the newest session has no day.
    """
    sessions = _sessions(moment, exchange)
    shift = bisect_right(sessions, SHOWN) - bisect_right(days, REAL)  # a day's session is so much further
    begin, end = max(0, -shift), _closed(sessions, moment, exchange) - shift
    if end <= begin:
        first = sessions[begin + shift]
        raise BadConfig(f"INGESTION_SOURCE=sample begins with {first}; choose a later batch")
    if end > len(days):
        last = sessions[len(days) + shift - 1]
        raise BadConfig(
            f"INGESTION_SOURCE=sample ended with {last}; choose another source, see docs/guides/prices.md"
        )
    return begin, sessions[begin + shift : end + shift]


def _sessions(moment: datetime, exchange: Exchange | None) -> list[date]:
    """Return the sessions since FIRST, up to the day of `moment` and at least up to SHOWN."""
    last = max(SHOWN, moment.date())
    if exchange:
        return exchange.sessions(FIRST, last)
    days = pl.date_range(FIRST, last, eager=True)
    return days.filter(days.dt.weekday() <= FRIDAY).to_list()


def _closed(sessions: Sequence[date], moment: datetime, exchange: Exchange | None) -> int:
    """Return how many of the sessions had closed; a weekday closes at its end, in UTC."""
    if exchange:
        return bisect_right(sessions, exchange.last_closed(moment))
    return bisect_left(sessions, moment.date())
