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
# The session SHOWN has the prices of the day REAL; both follow Thanksgiving. Ten years apart, the sample lasts
# to the end of 2032, and has enough rows for the contract of a stack that knows it under its own dates.
SHOWN, REAL = date(2026, 11, 27), date(2016, 11, 25)
FIRST = date(1990, 1, 1)  # before the first session of the sample on any exchange
FRIDAY = 5
FIX = "choose another INGESTION_SOURCE, see docs/guides/prices.md"


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
        days, sessions = wide["Date"].to_list(), _sessions(moment, exchange)
        shift = bisect_right(sessions, SHOWN) - bisect_right(days, REAL)  # a day's session is so much further
        begin, end = max(0, -shift), _closed(sessions, moment, exchange) - shift
        if end <= begin:
            raise BadConfig(f"INGESTION_SOURCE=sample begins with {sessions[begin + shift]}; {FIX}")
        if end > len(days):
            raise BadConfig(f"INGESTION_SOURCE=sample has ended with {sessions[len(days) + shift - 1]}; {FIX}")
        self.left = len(days) - end  # sessions
        self.notice = f"sample: prices of {days[end - 1]} under the date of {sessions[end + shift - 1]}"
        shown = pl.Series("date", sessions[begin + shift : end + shift], dtype=pl.Date)
        self._prices = (
            wide.slice(begin, end - begin)
            .with_columns(shown)
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
