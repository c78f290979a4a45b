"""The conversion of yfinance's frame, built here the way `yfinance.download` builds it."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from apps.common.stage import BadConfig
from apps.ingestion.sources.yahoo import YahooSource, to_prices

FIELDS = ["Close", "High", "Low", "Open", "Volume"]


def history(days: list[str], closes: list[float]) -> pd.DataFrame:
    index = pd.DatetimeIndex(days, name="Date")
    return pd.DataFrame(dict.fromkeys(FIELDS, closes), index=index, columns=pd.Index(FIELDS))


def downloaded(**tickers: pd.DataFrame) -> pd.DataFrame:
    """Tickers side by side, absent days as NaN, the columns' levels then swapped to (Price, Ticker)."""
    frame = pd.concat(tickers.values(), axis=1, sort=True, keys=tickers.keys(), names=["Ticker", "Price"])
    frame.columns = frame.columns.swaplevel(0, 1)
    return frame.sort_index(level=0, axis=1)


def test_symbols_with_different_days():
    us = history(["2026-11-19", "2026-11-20"], [10.0, 11.0])
    germany = history(["2026-11-20", "2026-11-21"], [20.0, 21.0])
    got = to_prices(downloaded(**{"AAPL": us, "SAP.DE": germany})).sort("symbol", "date")
    assert got.columns == ["symbol", "date", "close"]
    assert got.rows() == [
        ("AAPL", date(2026, 11, 19), 10.0),
        ("AAPL", date(2026, 11, 20), 11.0),
        ("SAP.DE", date(2026, 11, 20), 20.0),
        ("SAP.DE", date(2026, 11, 21), 21.0),
    ]


def test_a_failed_ticker_and_senseless_closes_are_left_out():
    some = history(["2026-11-18", "2026-11-19", "2026-11-20"], [-0.5, 0.0, 3.0])
    failed = history(["2026-11-18", "2026-11-19", "2026-11-20"], [np.nan] * 3)
    got = to_prices(downloaded(OK=some, GONE=failed))
    assert got.rows() == [("OK", date(2026, 11, 20), 3.0)]


@pytest.mark.parametrize("frame", [pd.DataFrame(), downloaded(GONE=history([], []))])
def test_nothing_downloaded_is_an_empty_table(frame):
    got = to_prices(frame)
    assert got.is_empty()
    assert got.columns == ["symbol", "date", "close"]


def test_a_start_after_the_batch_is_a_bad_setting():
    with pytest.raises(BadConfig, match=r"INGESTION_START=2026-11-22 must be before the batch's day"):
        YahooSource(["AAPL"], date(2026, 11, 22), date(2026, 11, 22))
