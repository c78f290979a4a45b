"""An evaluation: its form, and how it is made from grades with returns.

Returns are simple and not annualised, shares are 0 to 1, and None is what is not known.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from math import hypot
from statistics import NormalDist
from typing import Literal

import polars as pl
from pydantic import BaseModel

from apps.api.records import LETTERS
from apps.evaluation.means import BAND, mean_of
from apps.evaluation.measures import by_session, lettered
from apps.evaluation.returns import HORIZONS, with_returns
from apps.evaluation.sessions import Sessions

PERIODS = {"live": "%Y-%m", "backtest": "%Y"}
NORMAL = NormalDist().inv_cdf((1 + BAND) / 2)  # standard errors from the mean to an end of the band
ENOUGH = 6  # periods
Kind = Literal["live", "backtest"]


class Period(BaseModel):
    """A month or a year of gradings."""

    period: str
    sessions: int
    ic: float | None
    spread: float | None


class Measures(BaseModel):
    """What a figure was worth over one horizon; see docs/explain/record.md for what each means."""

    sessions: int  # gradings whose returns are in and that have a rank IC
    periods: int  # of them that do not overlap
    ic: float | None
    t: float | None
    low: float | None
    high: float | None
    hit_rate: float | None
    later_ic: float | None
    returns: dict[str, float | None]  # by letter
    spread: float | None
    spread_t: float | None
    turnover: float | None
    coverage: float | None
    by_period: list[Period]


class Part(BaseModel):
    """One of the two records; they are never mixed."""

    first: date | None  # session of the first grading, whether its returns are in or not
    last: date | None
    gradings: int
    every: int | None  # sessions between two gradings; None: as they were published
    limits: list[str]  # what it cannot know
    figures: dict[str, dict[str, Measures]]  # by name of the figure, then by horizon


class Evaluation(BaseModel):
    """The file evaluation.json."""

    batch: str
    as_of: date
    symbols: int
    horizons: list[int]
    live: Part
    backtest: Part


def part_of(
    kind: Kind,
    graded: pl.DataFrame,
    closes: pl.DataFrame,
    sessions: Sessions,
    figures: Iterable[str],
    every: int | None = None,
    limits: Iterable[str] = (),
) -> Part:
    """Return a record from gradings: symbol, s, the figures and, where it is published, letter."""
    numbers = graded["s"].unique().sort()
    days = [sessions.days[number] for number in numbers]
    followed = with_returns(graded, closes)
    return Part(
        first=days[0] if days else None,
        last=days[-1] if days else None,
        gradings=len(numbers),
        every=every,
        limits=list(limits),
        figures={figure: _of_figure(kind, followed, figure, sessions) for figure in figures},
    )


def _of_figure(kind: Kind, followed: pl.DataFrame, figure: str, sessions: Sessions) -> dict[str, Measures]:
    published = figure == "composite"  # its letters are the grades
    graded = followed.filter(pl.col(figure).is_not_null()) if published else lettered(followed, figure)
    return {
        str(horizon): measures(kind, by_session(graded, figure, horizon, sessions.last), horizon, sessions)
        for horizon in HORIZONS
    }


def measures(kind: Kind, found: pl.DataFrame, horizon: int, sessions: Sessions) -> Measures:
    """Return what `by_session` has found over a horizon as means over the sessions."""
    numbers = found["s"]
    ic = mean_of(numbers, found["ic"], horizon)
    spread = mean_of(numbers, found["spread"], horizon)
    graded = int(found["graded"].sum())
    return Measures(
        sessions=ic.sessions,
        periods=ic.periods,
        ic=ic.mean,
        t=ic.t,
        low=ic.low,
        high=ic.high,
        hit_rate=_mean(found["ic"].drop_nulls() > 0),
        later_ic=_mean(found["later_ic"]),
        returns={letter: _mean(found[letter]) for letter in LETTERS},
        spread=spread.mean,
        spread_t=spread.t,
        turnover=_mean(found["turnover"]),
        coverage=int(found["pairs"].sum()) / graded if graded else None,
        by_period=list(_periods(found, sessions, PERIODS[kind])),
    )


def _periods(found: pl.DataFrame, sessions: Sessions, form: str) -> Iterable[Period]:
    days = pl.Series("day", [sessions.days[number] for number in found["s"]], dtype=pl.Date)
    named = found.with_columns(days.dt.strftime(form).alias("period"))
    rows = named.group_by("period").agg(pl.col("ic").count().alias("sessions"), pl.mean("ic", "spread"))
    return (Period(**row) for row in rows.sort("period").iter_rows(named=True))


def _mean(figures: pl.Series) -> float | None:
    mean = figures.mean()
    return None if mean is None else float(mean)  # type: ignore[arg-type]


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
