"""How an evaluation is made from grades with returns."""

from collections.abc import Iterable
from typing import Literal

import polars as pl

from apps.api.records import LETTERS
from apps.evaluation.form import Measures, Part, Period
from apps.evaluation.means import mean_of
from apps.evaluation.measures import by_session, lettered
from apps.evaluation.returns import HORIZONS, with_returns
from apps.evaluation.sessions import Sessions

PERIODS = {"live": "%Y-%m", "backtest": "%Y"}
Kind = Literal["live", "backtest"]


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
