"""What a challenger's grades were worth against the champion's: A minus F of both, paired by session.

Both are of the same sessions and the same returns, so that what the market has done to both cancels out in
the difference. A minus F is what the record says of the champion, too.
"""

from typing import NamedTuple

import polars as pl

from apps.evaluation.bootstrap import band_of
from apps.evaluation.measures import BEST, WORST
from apps.evaluation.returns import ahead, with_returns

HORIZONS = (1, 5, 21)  # sessions
BOTH = ("champion", "challenger")
AT_ONCE = 50  # sessions: returns of 500 sessions of 5,000 symbols would take 800 MB


class Paired(NamedTuple):
    """Means over the `sessions` whose returns are in; None without any."""

    sessions: int = 0
    champion: float | None = None
    challenger: float | None = None
    difference: float | None = None  # the challenger's less the champion's
    # the band that holds the difference with 95 % confidence; None: too few sessions
    low: float | None = None
    high: float | None = None


NOTHING = Paired()


def paired(lettered: pl.DataFrame, closes: pl.DataFrame, last: int) -> dict[int, Paired]:
    """Return what the letters were worth, by horizon.

    `lettered` has symbol, s and the letters `champion` and `challenger`, null where one has none; `closes`
    has symbol, s and close up to the session `last`. A session counts where both have returns of an A and of
    an F.
    """
    starts = range(0, last + 1, AT_ONCE)
    some = (lettered.filter(pl.col("s").is_between(start, start + AT_ONCE - 1)) for start in starts)
    parts = [_spreads(each, closes) for each in some if not each.is_empty()]
    spreads = pl.concat(parts) if parts else pl.DataFrame(schema={"s": lettered.schema["s"]})
    return {horizon: _over(spreads, horizon, last) for horizon in HORIZONS}


def _spreads(lettered: pl.DataFrame, closes: pl.DataFrame) -> pl.DataFrame:
    """Return a row a session: s, and A minus F of both over each horizon, null where it is not known."""
    gains = {horizon: pl.col(ahead(horizon)) for horizon in HORIZONS}
    first, last = lettered.select(first=pl.col("s").min(), last=pl.col("s").max() + max(HORIZONS)).row(0)
    return (
        with_returns(lettered, closes.filter(pl.col("s").is_between(first, last)), HORIZONS)
        .group_by("s")
        .agg(
            (gain.filter(pl.col(who) == BEST).mean() - gain.filter(pl.col(who) == WORST).mean()).alias(
                f"{who}_{horizon}"
            )
            for horizon, gain in gains.items()
            for who in BOTH
        )
        .sort("s")
    )


def _over(spreads: pl.DataFrame, horizon: int, last: int) -> Paired:
    if spreads.is_empty():
        return NOTHING
    found = (
        spreads.filter(pl.col("s") <= last - horizon)
        .select("s", **{who: f"{who}_{horizon}" for who in BOTH})
        .drop_nulls()
        .with_columns(difference=pl.col("challenger") - pl.col("champion"))
    )
    if found.is_empty():
        return NOTHING
    means = found.select(*BOTH, "difference").mean().row(0)
    return Paired(found.height, *means, *(band_of(found["s"], found["difference"], horizon) or (None, None)))
