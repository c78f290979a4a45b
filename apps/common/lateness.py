"""How far a symbol lies behind: its newest close is older than the newest of all symbols."""

import polars as pl

from apps.common.exchange import Exchange

DATED = ("as_of", "last_day", "sessions_behind")


def dated(symbols: pl.DataFrame, exchange: Exchange | None) -> pl.DataFrame:
    """Add as_of, the newest last_day of all, and sessions_behind: sessions after a last_day up to as_of.

    `symbols` has a row a symbol. All sessions_behind are null without an exchange, because nobody knows then
    which days are sessions.
    """
    frame = symbols.with_columns(pl.col("last_day").max().alias("as_of"))
    if exchange is None or frame.is_empty():
        return frame.with_columns(pl.lit(None, dtype=pl.Int32).alias("sessions_behind"))
    oldest, newest = frame.select(pl.col("last_day").min(), "as_of").row(0)
    sessions = pl.Series(exchange.sessions(oldest, newest), dtype=pl.Date)
    reached = sessions.search_sorted(frame["last_day"], side="right").cast(pl.Int32)
    return frame.with_columns((len(sessions) - reached).alias("sessions_behind"))
