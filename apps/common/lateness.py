"""How far a symbol lies behind: its newest close is older than the newest of all symbols."""

import polars as pl

from apps.common.exchange import UnknownDay, exchange

DATED = ("as_of", "last_day", "sessions_behind")


def dated(symbols: pl.DataFrame, calendar: str) -> pl.DataFrame:
    """Add as_of, the newest last_day of all, and sessions_behind: sessions after a last_day up to as_of.

    `symbols` has a row a symbol; `calendar` is the code of their exchange. All sessions_behind are null where
    nobody knows which days are sessions. The exchange is loaded only when a symbol is behind.
    """
    frame = symbols.with_columns(pl.col("last_day").max().alias("as_of"))
    return frame.with_columns(_behind(frame, calendar).cast(pl.Int32).alias("sessions_behind"))


def is_recent(sessions: int, days: int) -> pl.Expr:
    """Whether a symbol is at most so many sessions behind; where they are not known, so many days."""
    enough = pl.col("last_day") >= pl.col("as_of") - pl.duration(days=days)
    return pl.coalesce(pl.col("sessions_behind") <= sessions, enough)


def _behind(frame: pl.DataFrame, calendar: str) -> pl.Expr | pl.Series:
    oldest, newest = frame.select(pl.col("last_day").min(), pl.col("as_of").first()).row(0)
    market = exchange(calendar) if oldest != newest else None
    if market is None:
        return pl.lit(0 if calendar else None)
    try:
        sessions = pl.Series(market.sessions(oldest, newest), dtype=pl.Date)
    except UnknownDay:
        return pl.lit(None)
    return len(sessions) - sessions.search_sorted(frame["last_day"], side="right").cast(pl.Int32)
