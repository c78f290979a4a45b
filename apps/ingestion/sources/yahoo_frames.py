"""The frames of yfinance as tables of prices and of corporate actions."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

import polars as pl

from apps.ingestion.sources import ACTIONS

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped]

SCHEMA = pl.Schema({"symbol": pl.String, "date": pl.Date, "close": pl.Float64})
KINDS = {"Dividends": "dividend", "Stock Splits": "split"}


def to_prices(frame: "pd.DataFrame") -> pl.DataFrame:
    """Turn yfinance's frame (index: days; columns: field, ticker) into symbol, date, close.

    Days are those of the exchange. Days without a close (a ticker's holidays, or before it was listed) are
    left out, and so are zero and negative closes, which Yahoo's adjustment produces now and then. Of two
    bars on one day the later one counts.
    """
    if frame.empty or "Close" not in frame.columns.get_level_values(0):
        return SCHEMA.to_frame()
    closes = frame["Close"].sort_index()
    wide = pl.DataFrame(
        [days_of(closes), *(pl.Series(str(name), closes[name].to_numpy()) for name in closes.columns)]
    )
    long = (
        wide.unpivot(index="date", variable_name="symbol", value_name="close")
        .select(SCHEMA.names())
        .cast(SCHEMA)
    )
    valid = long.filter(pl.col("close").is_finite() & (pl.col("close") > 0))
    return valid.unique(["symbol", "date"], keep="last", maintain_order=True)


def to_actions(symbol: str, frame: "pd.DataFrame") -> pl.DataFrame:
    """Return the dividends and splits of one symbol's frame."""
    parts = [ACTIONS.to_frame()]
    for column in KINDS.keys() & set(frame.columns):
        values = pl.DataFrame([days_of(frame), pl.Series("value", frame[column].to_numpy(dtype="float64"))])
        kind = pl.lit(symbol).alias("symbol"), "date", pl.lit(KINDS[column]).alias("kind"), "value"
        parts.append(values.filter(pl.col("value") > 0).select(kind))
    return pl.concat(parts)


def days_of(frame: "pd.DataFrame") -> pl.Series:
    """Return the exchange's days of an index of any unit; polars takes no seconds, which yfinance gives."""
    import pandas as pd  # noqa: PLC0415

    index = pd.DatetimeIndex(frame.index).tz_localize(None)
    return pl.Series("date", index.to_numpy().astype("datetime64[ms]")).cast(pl.Date)


def finished(frame: "pd.DataFrame", about: Mapping[str, object]) -> "pd.DataFrame":
    """Return the frame without the bar of a session that is still open."""
    periods = about.get("currentTradingPeriod")
    regular = periods.get("regular") if isinstance(periods, Mapping) else None
    if frame.empty or not isinstance(regular, Mapping):
        return frame
    opens, closes = (_moment(regular.get(name)) for name in ("start", "end"))
    if opens is None or closes is None or not opens <= time.time() < closes:
        return frame
    import pandas as pd  # noqa: PLC0415

    today = pd.Timestamp(opens, unit="s", tz="UTC").tz_convert(frame.index.tz).date()
    return frame[frame.index.date < today]


def _moment(value: object) -> float | None:
    """Return a moment as seconds since 1970, as Yahoo gives it or as yfinance may have turned it."""
    if isinstance(value, int | float):
        return float(value)
    stamp = getattr(value, "timestamp", None)
    return float(stamp()) if callable(stamp) else None
