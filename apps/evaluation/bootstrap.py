"""How sure the mean of a series is whose figures go together: a circular block bootstrap.

Figures are drawn in blocks of neighbours, so that a drawn series goes together as the real one does; the
series is a circle, so that its ends are drawn as often as its middle (Politis & Romano 1992). A block is as
long as returns overlap, and the cube root of the number of figures longer, which is the rate at which the
best length grows (Hall, Horowitz & Jing 1995). Few blocks vary too little: the band's ends are further out
than the 2.5 % on either side, by as much as Student's t is beyond the normal (Hesterberg 2015, the expanded
percentile interval).
"""

from math import ceil, sqrt
from statistics import NormalDist

import polars as pl

from apps.evaluation.means import BAND, student

DRAWS = 5_000
SEED = 20_151  # of the draws: the same figures have the same band
LEAST_BLOCKS = 4  # without which nothing is said of how sure a mean is


def band_of(sessions: pl.Series, figures: pl.Series, horizon: int) -> tuple[float, float] | None:
    """Return the band that holds the mean of the figures with 95 % confidence; None with too few of them.

    `sessions` has their numbers, rising, and `horizon` is how many sessions the return in a figure takes.
    """
    count = len(figures)
    if count < LEAST_BLOCKS:
        return None
    apart = (int(sessions[-1]) - int(sessions[0])) / (count - 1)
    length = ceil(horizon / apart) + round(count ** (1 / 3))
    blocks = count // length
    if blocks < LEAST_BLOCKS:
        return None
    means = pl.concat([figures, figures.head(length - 1)]).rolling_mean(length).drop_nulls()
    drawn = means.sample(DRAWS * blocks, with_replacement=True, seed=SEED)
    found = drawn.reshape((DRAWS, blocks)).arr.mean()
    beyond = sqrt(blocks / (blocks - 1)) * student(BAND, blocks - 1)
    low, high = (found.quantile(NormalDist().cdf(end), "linear") for end in (-beyond, beyond))
    return float(low), float(high)  # type: ignore[arg-type]
