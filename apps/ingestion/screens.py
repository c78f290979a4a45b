"""Stock screens: named lists of the symbols that lead in one respect on the last day of the prices.

Each screen is one Polars expression over a symbol's closes in date order. The larger its value the higher the
symbol stands; null keeps a symbol off the list. Windows count the symbol's own trading days, 252 a year.
"""

from dataclasses import dataclass
from datetime import date

import polars as pl

from apps.common.lateness import dated, is_recent
from apps.ingestion.table import by_symbols

YEAR = 252
MONTH = 21
CLOSE = pl.col("close")
SESSIONS, DAYS = 5, 10  # a symbol whose last price is further behind is halted; the scorer's defaults, too


@dataclass(frozen=True)
class Screen:
    """A named list in an investing style; `days` is the history that `value` needs, in closes."""

    name: str
    style: str
    days: int
    value: pl.Expr


def _change(since: int, until: int = 0) -> pl.Expr:
    """Return the simple return from the close `since` days ago to that `until` days ago."""
    return CLOSE.get(-until - 1, null_on_oob=True) / CLOSE.get(-since - 1, null_on_oob=True) - 1


def _daily_volatility(days: int) -> pl.Expr:
    return CLOSE.tail(days + 1).pct_change().std()


def _trend_fit(days: int) -> pl.Expr:
    """Return the correlation of log close with time: squared, the R^2 of a line; its sign is the slope's."""
    closes = CLOSE.tail(days)
    rise = (closes / closes.first()).log()  # relative to the first, or a constant would correlate by rounding
    return pl.corr(pl.int_range(pl.len()).tail(days), rise).fill_nan(None)


def _where(condition: pl.Expr, value: pl.Expr) -> pl.Expr:
    return pl.when(condition).then(value)


_LONG_RUN = _change(5 * YEAR, YEAR)
_TO_5Y_MEAN = CLOSE.last() / CLOSE.tail(5 * YEAR).mean()

SCREENS = (
    # Jegadeesh & Titman 1993, "Returns to Buying Winners and Selling Losers": 12 months but for the last one
    Screen("momentum_leaders", "momentum", YEAR + 1, _change(YEAR, MONTH)),
    # George & Hwang 2004, "The 52-Week High and Momentum Investing"
    Screen("near_52w_high", "momentum", YEAR, CLOSE.last() / CLOSE.tail(YEAR).max()),
    # De Bondt & Thaler 1985, "Does the Stock Market Overreact?": losers of five years but for the last one
    Screen("long_term_losers", "value", 5 * YEAR + 1, _where(_LONG_RUN < 0, -_LONG_RUN)),
    # Mean reversion to the long-run price level: Poterba & Summers 1988, "Mean Reversion in Stock Prices"
    Screen("below_5y_mean", "value", 5 * YEAR, _where(_TO_5Y_MEAN < 1, -_TO_5Y_MEAN)),
    # Ang, Hodrick, Xing & Zhang 2006, "The Cross-Section of Volatility and Expected Returns"
    Screen("low_volatility", "quality", YEAR + 1, -_daily_volatility(YEAR)),
    # A rise close to a straight line in log price; the scorer's trend stability, over the same year
    Screen("steady_trend", "quality", YEAR, _where(_trend_fit(YEAR) > 0, _trend_fit(YEAR))),
)


def appearances(prices: pl.DataFrame, top: int, calendar: str = "") -> tuple[date, list[dict[str, str]]]:
    """Return the prices' last day and, screen by screen, the `top` symbols as symbol, screener and style.

    `prices` is a valid prices table. Best first, equal values in the order of the symbols: the same prices
    always give the same lists. A screen lists fewer than `top` where fewer qualify or have the history.
    """
    values = dated(pl.concat(map(_values, by_symbols(prices))), calendar)
    as_of = values.select(pl.col("as_of").first()).item()
    traded = values.filter(is_recent(SESSIONS, DAYS))
    listed = []
    for screen in SCREENS:
        best = traded.drop_nulls(screen.name).sort(screen.name, "symbol", descending=[True, False]).head(top)
        listed += [{"symbol": s, "screener": screen.name, "style": screen.style} for s in best["symbol"]]
    return as_of, listed


def _values(prices: pl.DataFrame) -> pl.DataFrame:
    """Return symbol, last_day and a column a screen; null where the history is too short for it."""
    return prices.group_by("symbol").agg(
        pl.col("date").last().alias("last_day"),
        *(pl.when(CLOSE.len() >= screen.days).then(screen.value).alias(screen.name) for screen in SCREENS),
    )
