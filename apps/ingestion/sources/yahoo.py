"""Prices from Yahoo Finance by the yfinance library, which is imported only when this source is chosen."""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from apps.common.stage import BadConfig
from apps.ingestion.sources import SourceUnavailable

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped]

log = logging.getLogger("ingestion")

# Some symbols always fail (delisted, renamed). When more do, Yahoo is refusing service.
MOST_MISSING = 0.2


class YahooSource:
    """Adjusted closes of finished days: from `start` up to, and not including, the day `end`."""

    name = "yahoo"
    replayed = False

    def __init__(self, symbols: Sequence[str], start: date, end: date) -> None:
        """Take the given symbols; raise BadConfig when there are none or `start` is not before `end`."""
        if not symbols:
            raise BadConfig("INGESTION_SYMBOLS is empty: INGESTION_SOURCE=yahoo needs it, such as AAPL,MSFT")
        if start >= end:
            raise BadConfig(f"INGESTION_START={start} must be before the batch's day {end}")
        self.symbols = sorted(symbols)
        self._start, self._end = start, end

    def fetch(self, symbols: Sequence[str], since: Mapping[str, date]) -> pl.DataFrame:
        """See `Source.fetch`; raises SourceUnavailable when over a fifth of the symbols bring nothing."""
        groups: dict[date, list[str]] = defaultdict(list)
        for symbol in symbols:
            groups[since.get(symbol, self._start)].append(symbol)
        prices = pl.concat([to_prices(_download(names, start, self._end)) for start, names in groups.items()])
        missing = sorted(set(symbols) - set(prices["symbol"].unique()))
        if len(missing) > MOST_MISSING * len(symbols):
            few = ", ".join(missing[:5])
            raise SourceUnavailable(
                f"Yahoo has no prices for {len(missing)} of {len(symbols)} symbols ({few}); "
                "try again later, or correct INGESTION_SYMBOLS"
            )
        if missing:
            log.warning("warning: nothing from Yahoo for %s", ", ".join(missing))
        return prices


def to_prices(frame: "pd.DataFrame") -> pl.DataFrame:
    """Turn yfinance's frame (index: days; columns: field, ticker) into symbol, date, close.

    Days without a close (a ticker's holidays, or before it was listed) are left out, and so are zero and
    negative closes, which Yahoo's adjustment brings forth now and then.
    """
    schema = pl.Schema({"date": pl.Date, "symbol": pl.String, "close": pl.Float64})
    if frame.empty or "Close" not in frame.columns.get_level_values(0):
        return pl.DataFrame(schema=schema).select("symbol", "date", "close")
    closes = frame["Close"]
    days = pl.Series("date", closes.index.to_numpy()).cast(pl.Date)
    wide = pl.DataFrame([days, *(pl.Series(str(name), closes[name].to_numpy()) for name in closes.columns)])
    long = wide.unpivot(index="date", variable_name="symbol", value_name="close").cast(schema)
    return long.filter(pl.col("close").is_finite() & (pl.col("close") > 0)).select("symbol", "date", "close")


def _download(symbols: list[str], start: date, end: date) -> "pd.DataFrame":
    """Return the daily adjusted history of the symbols from `start` to the day before `end`."""
    import yfinance  # noqa: PLC0415  (takes a second and is not needed by the other sources)

    try:
        frame: pd.DataFrame | None = yfinance.download(
            symbols, start=start, end=end, auto_adjust=True, progress=False, group_by="column"
        )
    except Exception as error:  # the library lets errors of several HTTP and JSON libraries through
        reason = f"{type(error).__name__}: {error}"
        raise SourceUnavailable(f"Yahoo does not answer ({reason}); try again later") from error
    if frame is None:
        raise SourceUnavailable("Yahoo does not answer; try again later")
    return frame
