"""The figures of an evaluation that its contract checks, the drift of the live grades among them."""

from collections.abc import Mapping
from math import hypot
from statistics import NormalDist

from apps.evaluation.form import Evaluation, Measures
from apps.evaluation.means import BAND
from apps.evaluation.returns import HORIZONS

NORMAL = NormalDist().inv_cdf((1 + BAND) / 2)  # standard errors from the mean to an end of the band
ENOUGH = 6  # periods


def details(evaluation: Evaluation) -> Mapping[str, float | int | None]:
    """Return the figures that the dataset's contract checks, by flat names."""
    found: dict[str, float | int | None] = {}
    for kind, part, figure in (
        ("live", evaluation.live, "composite"),
        ("backtest", evaluation.backtest, "score"),
    ):
        found[f"{kind}_gradings"] = part.gradings
        for horizon in HORIZONS:
            of = part.figures[figure][str(horizon)]
            known = {"ic": of.ic, "t": of.t, "high": of.high, "spread": of.spread, "coverage": of.coverage}
            found |= {f"{kind}_{name}_{horizon}": value for name, value in known.items()}
    every = (part.figures.values() for part in (evaluation.live, evaluation.backtest))
    lows = [one.low for figures in every for of in figures for one in of.values() if one.low is not None]
    found["surest_ic"] = max(lows, default=None)
    found["drift"] = drift(evaluation)
    return found


def drift(evaluation: Evaluation) -> float | None:
    """Return by how many standard errors the live rank IC lies above the backtest's, over a month.

    The errors are taken from the bands, which are wider for few periods. The part that both have is compared:
    the score. None while one of them has fewer than six periods, when noise often looks like a drift.
    """
    live, past = (part.figures["score"]["21"] for part in (evaluation.live, evaluation.backtest))
    one, other = _error(live), _error(past)
    if live.ic is None or past.ic is None or one is None or other is None:
        return None
    return (live.ic - past.ic) / hypot(one, other)


def _error(of: Measures) -> float | None:
    if of.low is None or of.high is None or of.periods < ENOUGH:
        return None
    return (of.high - of.low) / (2 * NORMAL)
