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
    days = frame["last_day"]
    sessions = pl.Series(exchange.sessions(days.min(), days.max()), dtype=pl.Date)
    behind = len(sessions) - sessions.search_sorted(days, side="right").cast(pl.Int32)
    return frame.with_columns(behind.alias("sessions_behind"))
