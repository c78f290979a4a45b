"""The raw signals of a symbol, each from its closes in date order; the larger the better.

Windows count the symbol's own trading days: 21 a month, 252 a year. With a shorter history a signal is null.
"""

import polars as pl

MONTH = 21
YEAR = 252
FIVE_YEARS = 5 * YEAR
CLOSE = pl.col("close")


def change(since: int, until: int) -> pl.Expr:
    """Return the simple return from the close `since` days ago to the close `until` days ago."""
    return CLOSE.get(-until - 1, null_on_oob=True) / CLOSE.get(-since - 1, null_on_oob=True) - 1


def momentum() -> pl.Expr:
    """Return of the last twelve months without the last month (Jegadeesh & Titman 1993).

    The last month is left out because of the reversal within a month (Jegadeesh 1990).
    """
    return change(YEAR, MONTH)


def value() -> pl.Expr:
    """Negative return from five years to one year ago: long-term reversal (De Bondt & Thaler 1985).

    It stands in for cheapness where no book values are at hand (Asness, Moskowitz & Pedersen 2013).
    """
    return -change(FIVE_YEARS, YEAR)


def downside_safety() -> pl.Expr:
    """Negative semi-deviation of a year's daily returns below zero (Sortino; Ang, Chen & Xing 2006).

    The root of the mean over all days, rising ones counting as zero.
    """
    returns = CLOSE.tail(YEAR + 1).pct_change()
    semi_deviation = returns.clip(upper_bound=0).pow(2).mean().sqrt()
    return pl.when(CLOSE.len() > YEAR).then(-semi_deviation)


def trend_stability() -> pl.Expr:
    """R^2 of the line through a year's log closes, signed by its slope: -1 to 1; 0 for a constant close.

    R^2 of a line is the square of the correlation with time, whose sign is the slope's.
    """
    closes = CLOSE.tail(YEAR)
    rise = (closes / closes.first()).log()  # relative to the first, or a constant would correlate by rounding
    fit = pl.corr(pl.int_range(pl.len()).tail(YEAR), rise).fill_nan(0.0)
    return pl.when(CLOSE.len() >= YEAR).then(fit * fit.abs())
